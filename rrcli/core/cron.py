"""A cron line of five fields as recurrence rules that mean exactly the same; or the reason why not.

The reading is that of Vixie cron (crontab(5)): minute, hour, day of the month, month, day of the week, where
0 and 7 are Sunday; when both day fields are restricted either may match, and a field that begins with `*`
counts as not restricted. `L`, `LW`, `nW` and `n#m`, which other crons have, are translated where they mean
one thing.

When the clocks change, a line whose minute or hour begins with `*` follows elapsed time (all matching minutes
of a repeated hour run), every other one the time of day (once), as in cron. A time that is skipped runs at
what the clock shows then, an hour later; cron runs it as soon as the clock has jumped.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from rrcli.core.recurrence import Recurrence
from rrcli.errors import FieldError, InvalidInput

_WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_DAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WORKING = (1, 2, 3, 4, 5)
_SHORTEST_MONTH = 28
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_RANGE = re.compile(r"(\*|[0-9A-Z]+)(?:-([0-9A-Z]+))?(?:/([0-9]+))?", re.ASCII)
_ANCHOR = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five: its bounds, the names that stand for numbers, and what is said of it."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def number(self, text: str, refuse: Callable[[str], NoReturn]) -> int:
        if text in self.names:
            return self.names.index(text) + self.low
        if not text.isdigit() or not self.low <= int(text) <= self.high:
            names = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
            refuse(f"{self.name}: {text} is not {self.low} to {self.high}{names}")
        return int(text)


_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_MONTH_DAY = _Field("day of the month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTH_NAMES)
_WEEKDAY = _Field("day of the week", 0, 7, _DAY_NAMES)


@dataclass(frozen=True, slots=True)
class _Days:
    """Days that match both: days of the month (negative: from its end) and weekdays (0 is Sunday).

    Empty means any. `nth` numbers the one weekday within its month instead; -1 is the last.
    """

    month_days: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    nth: int = 0


_ANY = _Days()


def rules_of_cron(line: str) -> str:
    """The `RRULE:` lines of a cron line; a single one stands without its name.

    Raises InvalidInput with the reason for what is wrong, never happens, or cannot be said exactly.
    """

    def refuse(reason: str, hint: str | None = None) -> NoReturn:
        raise InvalidInput([FieldError(field="cron", value=line, allowed=reason)], hint=hint)

    words = _fields(line, refuse)
    minutes = _numbers(words[0], _MINUTE, refuse)
    hours = _numbers(words[1], _HOUR, refuse)
    months = _numbers(words[3], _MONTH, refuse)
    days = _days(words[2], words[4], refuse)
    elapsed = words[0].startswith("*") or words[1].startswith("*")
    times = _Times(minutes, hours, () if len(months) == 12 else months, elapsed)
    found = [rule for each in days for rule in times.rules(each, refuse)]
    rules = [rule for rule in dict.fromkeys(found) if _occurs(rule)]
    if not rules:
        refuse("never happens: no such month has such a day")
    return rules[0] if len(rules) == 1 else "\n".join(f"RRULE:{rule}" for rule in rules)


def _fields(line: str, refuse: Callable[..., NoReturn]) -> list[str]:
    words = line.upper().split()
    first = words[0].lower() if words else ""
    if first in _NICKNAMES and len(words) == 1:
        return _NICKNAMES[first].split()
    if first == "@reboot":
        refuse("@reboot has no time: it means the start of a machine")
    if first == "@every":
        refuse("@every is no cron line", hint=f"Say it with --every {' '.join(words[1:]).lower()}.")
    if first.startswith("@"):
        refuse(f"must be five fields, or one of {', '.join(_NICKNAMES)}")
    if "=" in first:
        refuse("must be five fields and nothing before them", hint="Say the zone with --timezone.")
    if len(words) in (6, 7):
        refuse(
            "must be five fields: minute, hour, day of the month, month, day of the week; the sixth may be "
            "seconds or years, and nothing says which",
            hint="Leave seconds out; a rule has them: FREQ=MINUTELY;BYSECOND=0,30.",
        )
    if len(words) != 5:
        refuse("must be five fields: minute, hour, day of the month, month, day of the week")
    return words


def _numbers(text: str, field: _Field, refuse: Callable[[str], NoReturn]) -> tuple[int, ...]:
    return tuple(sorted({number for item in text.split(",") for number in _range(item, field, refuse)}))


def _range(item: str, field: _Field, refuse: Callable[..., NoReturn]) -> Iterable[int]:
    """The numbers of `*`, `5`, `1-5`, `*/2` and `10-50/20`."""
    if item == "?":
        refuse("? is of crons that count the days of the week from 1; write *, and check the weekdays")
    if re.fullmatch(r"H(?:\(.*\))?(?:/.*)?|.*~.*", item):
        refuse(f"{field.name}: {item} lets the cron choose a time, which no rule can say")
    found = _RANGE.fullmatch(item)
    if found is None:
        refuse(f"{field.name}: {item or 'an empty item'} is not understood")
    start, end, step = found[1], found[2], int(found[3] or 1)
    if start == "*":
        if end:
            refuse(f"{field.name}: {item} is not understood")
        low, high = field.low, 6 if field is _WEEKDAY else field.high
    else:
        low = field.number(start, refuse)
        # The one name that stands for two numbers: at the end of a range it is the second.
        high = 7 if end == "SUN" else field.number(end, refuse) if end else low
    if found[3] and start != "*" and end is None:
        refuse(
            f"{field.name}: {item} means different things in different crons",
            hint=f"Write {start}-{field.high}/{step} for every {step} from {start} on.",
        )
    if high < low:
        refuse(
            f"{field.name}: {item} ends before it begins",
            hint=f"Write {start}-{field.high},{field.low}-{end}.",
        )
    if not 1 <= step <= field.high - field.low + 1:
        refuse(
            f"{field.name}: a step of {step} leads out of {field.low} to {field.high}",
            hint="For intervals that do not fit into an hour or a day use --every.",
        )
    return range(low, high + 1, step)


def _days(month_day: str, weekday: str, refuse: Callable[[str], NoReturn]) -> list[_Days]:
    """What the two day fields mean together, as a union."""
    by_month, by_week = _month_days(month_day, refuse), _week_days(weekday, refuse)
    if month_day.startswith("*") or weekday.startswith("*"):
        return [_both(one, other, refuse) for one in by_month for other in by_week]
    return [_ANY] if _ANY in by_month or _ANY in by_week else [*by_month, *by_week]


def _both(one: _Days, other: _Days, refuse: Callable[[str], NoReturn]) -> _Days:
    if one.weekdays and other.weekdays:
        refuse("W and a day of the week together are not understood")
    return _Days(one.month_days, one.weekdays or other.weekdays, other.nth)


def _month_days(text: str, refuse: Callable[[str], NoReturn]) -> list[_Days]:
    plain: set[int] = set()
    found: list[_Days] = []
    for item in text.split(","):
        if special := list(_special_month_day(item, refuse)):
            found += special
        else:
            plain.update(_range(item, _MONTH_DAY, refuse))
    if len(plain) == 31:
        return [_ANY]
    return [_Days(tuple(sorted(plain))), *found] if plain else found


def _special_month_day(item: str, refuse: Callable[[str], NoReturn]) -> Iterator[_Days]:
    """`L`, `L-3`, `LW` and `15W`; nothing for all others."""
    if item in ("LW", "WL"):
        # The last day where it is a working day, else the Friday before.
        yield _Days((-1,), _WORKING)
        yield _Days((-3, -2), (5,))
    elif last := re.fullmatch(r"L(?:-([0-9]{1,2}))?", item, re.ASCII):
        before = int(last[1] or 0)
        if before > 30:
            refuse(f"day of the month: {item} is before every month")
        yield _Days((-1 - before,))
    elif nearest := re.fullmatch(r"([0-9]{1,2})W", item, re.ASCII):
        yield from _nearest_working_day(_MONTH_DAY.number(nearest[1], refuse), refuse)


def _nearest_working_day(day: int, refuse: Callable[[str], NoReturn]) -> Iterator[_Days]:
    """The working day nearest to a day, within its month: never over its end."""
    if day >= _SHORTEST_MONTH:
        refuse(f"day of the month: {day}W depends on the length of the month, which no rule can say")
    yield _Days((day,), _WORKING)
    if day == 1:
        yield _Days((2, 3), (1,))
    else:
        yield _Days((day - 1,), (5,))
        yield _Days((day + 1,), (1,))


def _week_days(text: str, refuse: Callable[[str], NoReturn]) -> list[_Days]:
    plain: set[int] = set()
    found: list[_Days] = []
    for item in text.split(","):
        if special := re.fullmatch(r"([0-9A-Z]+)(?:#([0-9]+)|L)", item, re.ASCII):
            day, nth = _WEEKDAY.number(special[1], refuse) % 7, int(special[2] or 0)
            if special[2] and not 1 <= nth <= 5:
                refuse(f"day of the week: {item}: a month has at most five of a weekday")
            found.append(_Days((), (day,), nth or -1))
        elif item == "L":
            refuse("day of the week: L alone is Saturday in one cron and Sunday in another; name the day")
        else:
            plain.update(each % 7 for each in _range(item, _WEEKDAY, refuse))
    if len(plain) == 7:
        return [_ANY]
    return [_Days((), tuple(sorted(plain))), *found] if plain else found


@dataclass(frozen=True, slots=True)
class _Times:
    """The times of a day, the months (empty: all), and whether they step in elapsed time."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    elapsed: bool

    def rules(self, days: _Days, refuse: Callable[[str], NoReturn]) -> Iterator[str]:
        """The rule for one choice of days; none where the choice is empty."""
        chosen = _without_numbers(days, refuse) if self.elapsed else days
        if chosen is None:
            return
        every_hour = self.elapsed and len(self.hours) == 24
        every_minute = self.elapsed and len(self.minutes) == 60
        in_order = sorted(
            chosen.weekdays, key=lambda day: (day - 1) % 7
        )  # Monday first, as the engine has it
        weekdays = [f"{chosen.nth or ''}{_WEEKDAYS[day]}" for day in in_order]
        parts = (
            ("FREQ", [self._frequency(chosen, every_minute)]),
            ("BYMONTH", self.months),
            ("BYMONTHDAY", chosen.month_days),
            ("BYDAY", weekdays),
            ("BYHOUR", () if every_hour else self.hours),
            ("BYMINUTE", () if every_minute else self.minutes),
            ("BYSECOND", [0]),
        )
        yield ";".join(f"{name}={','.join(map(str, values))}" for name, values in parts if values)

    def _frequency(self, days: _Days, every_minute: bool) -> str:
        if self.elapsed:
            return "MINUTELY" if every_minute else "HOURLY"
        if days.month_days or days.nth:
            return "MONTHLY"
        return "WEEKLY" if days.weekdays else "DAILY"


def _without_numbers(days: _Days, refuse: Callable[[str], NoReturn]) -> _Days | None:
    """A numbered weekday as the days of the month on which it can fall; None when none is left."""
    if not days.nth:
        return days
    week = range(-7, 0) if days.nth < 0 else range(7 * days.nth - 6, min(7 * days.nth, 31) + 1)
    if days.month_days and days.nth < 0:
        refuse("a last weekday with steps in the day of the month, every hour, cannot be said by a rule")
    chosen = tuple(day for day in week if not days.month_days or day in days.month_days)
    return _Days(chosen, days.weekdays) if chosen else None


def _occurs(rule: str) -> bool:
    return next(Recurrence.parse(rule, anchor=_ANCHOR).occurrences(limit=1), None) is not None
