"""A recurrence in plain English: how often, on which days, at what time, where, until when."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from rrcli.core.recurrence.calendar import DAY_SECONDS, date_of
from rrcli.core.recurrence.components import Components
from rrcli.core.recurrence.moments import Moment
from rrcli.core.recurrence.rule import Frequency, Rule, Skip, WeekdayItem

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_UNITS = ("year", "month", "week", "day", "hour", "minute", "second")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_MOST_TIMES = 6


def describe(components: Components) -> str:
    """One sentence part for each rule, then what is added, removed, and the zone."""
    zone = _zone(components.zone_name)
    sentences = [_rule(rule, components.start, zone) for rule in components.rules]
    if not components.rules:
        sentences = [_once(components.start, zone)]
    text = "; and ".join(sentences)
    if components.added:
        text += f"; also on {_amount(len(components.added), 'added date')}"
    removed = len(components.removed) + len(components.removed_days)
    if removed:
        text += f"; except on {_amount(removed, 'removed date')}"
    for rule in components.removing_rules:
        text += f"; except {_rule(rule, components.start, zone)}"
    return text


def _rule(written: Rule, start: Moment, zone: str) -> str:
    if written == Rule(frequency=written.frequency, count=1):
        return _once(start, zone)
    date = date_of(start.wall // DAY_SECONDS)
    rule = written.completed(date.month, date.day, date.weekday())
    if rule.is_elapsed:
        parts = [_every(rule), *_elapsed_filters(rule, start)]
        moving = ", ".join(parts)
    else:
        moving = f"{_calendar_days(rule)} at {_times(rule, start)}"
    return ", ".join([moving, zone, *_ends(rule)])


def _once(start: Moment, zone: str) -> str:
    said = start.is_utc and zone == "UTC"
    return f"once, {_moment(start)}" + ("" if said else f", {zone}")


def _every(rule: Rule) -> str:
    unit = _UNITS[rule.frequency]
    return f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"


def _calendar_days(rule: Rule) -> str:
    """The days, as "on …" of every period, the rhythm first where it is not simply every one."""
    if rule.frequency == Frequency.YEARLY and _is_one_date(rule):
        return f"{_every(rule)} on {rule.month_days[0]} {_MONTHS[rule.months[0] - 1]}{_skip(rule)}"
    every_month = rule.frequency == Frequency.MONTHLY and rule.interval == 1 and not rule.months
    if every_month and (chosen := _days_of_month(rule)):
        return f"on {chosen} of every month{_skip(rule)}"
    if rule.frequency == Frequency.WEEKLY and rule.interval == 1:
        text = f"every {_weekdays(rule.weekdays)}"
    else:
        text = _every(rule)
        if days := _days(rule):
            text += f" on {days}"
    text += _months(rule) + _weeks(rule)
    chosen_only = rule.positions and not _positions_said(rule)
    return text + (f" ({_only(rule)})" if chosen_only else "") + _skip(rule)


def _is_one_date(rule: Rule) -> bool:
    others = rule.weekdays or rule.week_numbers or rule.year_days or rule.positions
    return len(rule.months) == len(rule.month_days) == 1 and rule.month_days[0] > 0 and not others


def _days_of_month(rule: Rule) -> str:
    """What stands before "of every month", where that can be said in one go."""
    if rule.month_days and not (rule.weekdays or rule.positions):
        return _joined(_month_day(day) for day in _inward(rule.month_days))
    if rule.weekdays and not rule.month_days and (not rule.positions or _positions_said(rule)):
        return _days(rule)
    return ""


def _days(rule: Rule) -> str:
    """Weekdays, days of the month and of the year that all have to match."""
    found = []
    if rule.weekdays and _positions_said(rule):
        which = _joined(_nth(position) for position in _inward(rule.positions))
        found.append(f"the {which} {_weekdays(rule.weekdays, 'or')}")
    elif rule.weekdays:
        numbered = any(item.nth for item in rule.weekdays)
        found.append(_joined(map(_weekday_item, rule.weekdays)) if numbered else _on_weekdays(rule.weekdays))
    if rule.month_days:
        found.append(_joined((_month_day(day) for day in _inward(rule.month_days)), "or" if found else "and"))
    if rule.year_days:
        days = (_counted_day(day) for day in _inward(rule.year_days))
        found.append(f"{_joined(days, 'or' if found else 'and')} of the year")
    return ", if that is ".join(found)


def _positions_said(rule: Rule) -> bool:
    """Whether BYSETPOS only says which one of some weekdays it is, at one time of day."""
    several = len(rule.hours) > 1 or len(rule.minutes) > 1 or len(rule.seconds) > 1
    plain = rule.weekdays and not any(item.nth for item in rule.weekdays)
    others = rule.month_days or rule.year_days or rule.week_numbers
    return bool(rule.positions and plain and not others and not several)


def _only(rule: Rule) -> str:
    unit = _UNITS[rule.frequency]
    return f"only the {_joined(_nth(position) for position in _inward(rule.positions))} of each {unit}"


def _weekdays(items: Sequence[WeekdayItem], word: str = "and") -> str:
    days = sorted({item.weekday for item in items})
    if days == [0, 1, 2, 3, 4]:
        return "weekday (Monday to Friday)"
    if days == list(range(7)):
        return "day of the week"
    return _joined((_DAYS[day] for day in days), word)


def _on_weekdays(items: Sequence[WeekdayItem]) -> str:
    days = {item.weekday for item in items}
    return "weekdays (Monday to Friday)" if days == {0, 1, 2, 3, 4} else _weekdays(items)


def _weekday_item(item: WeekdayItem) -> str:
    return f"the {_nth(item.nth)} {_DAYS[item.weekday]}" if item.nth else f"every {_DAYS[item.weekday]}"


def _nth(number: int) -> str:
    if number < 0:
        return "last" if number == -1 else f"{_nth(-number)} to last"
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else _ordinal(number)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"{number}{ending}"


def _month_day(day: int) -> str:
    return f"the {_ordinal(day)}" if day > 0 else _counted_day(day)


def _counted_day(day: int) -> str:
    return f"the {_ordinal(day) if day > 0 else _nth(day)} day"


def _inward(numbers: Iterable[int]) -> list[int]:
    """Positive numbers first, then the negative ones from the far end."""
    return sorted(numbers, key=lambda number: (number < 0, number))


def _months(rule: Rule) -> str:
    return f" in {_joined(_MONTHS[month - 1] for month in rule.months)}" if rule.months else ""


def _weeks(rule: Rule) -> str:
    if not rule.week_numbers:
        return ""
    numbers = [str(number) if number > 0 else f"{_nth(number)}" for number in _inward(rule.week_numbers)]
    return f" in {'week' if len(numbers) == 1 else 'weeks'} {_joined(numbers)} of the year"


def _skip(rule: Rule) -> str:
    match rule.skip:
        case Skip.BACKWARD:
            return " (or the last day before, where there is no such day)"
        case Skip.FORWARD:
            return " (or the first day after, where there is no such day)"
        case _:
            return ""


def _times(rule: Rule, start: Moment) -> str:
    """Times of day; where there are many, the hours and minutes apart."""
    hour, rest = divmod(start.wall % DAY_SECONDS, 3600)
    minute, second = divmod(rest, 60)
    hours, minutes, seconds = rule.hours or (hour,), rule.minutes or (minute,), rule.seconds or (second,)
    if len(hours) * len(minutes) * len(seconds) <= _MOST_TIMES:
        return _joined(_clock(h, m, s) for h in hours for m in minutes for s in seconds)
    text = f"{_minutes(minutes)} past {_hours(hours)}"
    return text if seconds == (0,) else f"{_amount_of(seconds, 'second')} into {text}"


def _clock(hour: int, minute: int, second: int) -> str:
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")


def _minutes(minutes: tuple[int, ...]) -> str:
    return _amount_of(minutes, "minute")


def _amount_of(numbers: tuple[int, ...], unit: str) -> str:
    return f"{unit}{'' if len(numbers) == 1 else 's'} {_ranges(numbers)}"


def _hours(hours: tuple[int, ...]) -> str:
    return f"{'hour' if len(hours) == 1 else 'hours'} {_ranges(hours)}"


def _elapsed_filters(rule: Rule, start: Moment) -> list[str]:
    """What narrows down a rule of hours, minutes or seconds."""
    found = []
    if rule.minutes:
        found.append(f"at {_minutes(rule.minutes)}")
    elif rule.frequency == Frequency.HOURLY and not rule.seconds:
        minute = start.wall // 60 % 60
        found.append(
            f"at {_minutes((minute,))} past the hour" if rule.interval == 1 else "counted from DTSTART"
        )
    if rule.seconds:
        found.append(f"at {_amount_of(rule.seconds, 'second')}")
    if rule.positions:
        found.append(_only(rule))
    if rule.hours:
        found.append(_between_hours(rule.hours))
    if days := _days(rule):
        found.append(f"on {days}")
    if rule.months:
        found.append(_months(rule).strip())
    return found


def _between_hours(hours: tuple[int, ...]) -> str:
    if hours[-1] - hours[0] == len(hours) - 1:
        return f"from {hours[0]:02}:00 to {hours[-1]:02}:59"
    return f"in {_hours(hours)}"


def _ranges(numbers: tuple[int, ...]) -> str:
    """`1, 5 to 7 and 9`."""
    breaks = [0, *(i for i, (low, high) in enumerate(pairwise(numbers), 1) if high != low + 1), len(numbers)]
    runs = [numbers[begin:end] for begin, end in pairwise(breaks)]
    return _joined(f"{run[0]} to {run[-1]}" if len(run) > 2 else _joined(map(str, run)) for run in runs)


def _ends(rule: Rule) -> list[str]:
    if rule.count is not None:
        return ["once" if rule.count == 1 else f"{rule.count} times"]
    return [f"until {_moment(rule.until)}"] if rule.until is not None else []


def _moment(moment: Moment) -> str:
    date = date_of(moment.wall // DAY_SECONDS)
    text = f"{date.day} {_MONTHS[date.month - 1]} {date.year}"
    second = moment.wall % DAY_SECONDS
    if moment.is_date:
        return text
    return f"{text} {_clock(second // 3600, second // 60 % 60, second % 60)}{' UTC' if moment.is_utc else ''}"


def _zone(name: str) -> str:
    return "UTC" if name == "UTC" else f"{name.rsplit('/', 1)[-1].replace('_', ' ')} time"


def _amount(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _joined(words: Iterable[str], word: str = "and") -> str:
    found = list(words)
    if len(found) < 2:
        return "".join(found)
    return f"{', '.join(found[:-1])} {word} {found[-1]}"
