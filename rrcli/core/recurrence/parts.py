"""Reading the value of an RRULE: every part, its range, and what RFC 5545 forbids together."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from rrcli.core.fields import did_you_mean
from rrcli.core.recurrence.moments import Moment, read_moment
from rrcli.core.recurrence.rule import WEEKDAYS, Frequency, Rule, Skip, WeekdayItem
from rrcli.core.recurrence.text import ContentLine, refuse

_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Range:
    """The numbers that a BY… part may hold; `signed` adds their negatives."""

    field: str
    low: int
    high: int
    signed: bool = False

    @property
    def size(self) -> int:
        return (self.high - self.low + 1) * (2 if self.signed else 1)

    def __contains__(self, number: int) -> bool:
        return self.low <= (abs(number) if self.signed else number) <= self.high

    def __str__(self) -> str:
        return f"{self.low} to {self.high}" + (f" or -{self.high} to -{self.low}" if self.signed else "")


_RANGES = {
    "BYSECOND": _Range("seconds", 0, 60),
    "BYMINUTE": _Range("minutes", 0, 59),
    "BYHOUR": _Range("hours", 0, 23),
    "BYMONTHDAY": _Range("month_days", 1, 31, signed=True),
    "BYYEARDAY": _Range("year_days", 1, 366, signed=True),
    "BYWEEKNO": _Range("week_numbers", 1, 53, signed=True),
    "BYMONTH": _Range("months", 1, 12),
    "BYSETPOS": _Range("positions", 1, 366, signed=True),
}
_LONGEST_BYDAY = 7 * (2 * 53 + 1)
# Some 2 MB at worst.
_KEPT_RULES = 4_000
_KEPT_CHARACTERS = 100
_accepted: dict[str, Rule] = {}
_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST", "RSCALE", "SKIP", *_RANGES)


@dataclass(slots=True)
class _Part:
    """A part as it stands in the text."""

    name: str
    value: str
    position: int
    value_position: int = field(init=False)

    def __post_init__(self) -> None:
        self.value_position = self.position + len(self.name) + 1

    def refuse(self, message: str, hint: str | None = None) -> Exception:
        return refuse(message, self.name, self.value, self.value_position, hint)


def read_rule(line: ContentLine) -> Rule:
    """The rule that an RRULE or EXRULE line holds; refuses whatever RFC 5545 does not allow.

    Millions of schedules have a few thousand rules, each with its own DTSTART: accepted ones are remembered.
    """
    if line.parameters:
        first = line.parameters[0]
        raise refuse("takes no parameters", line.name, f"{first.name}={first.value}", first.position)
    rule = _accepted.get(line.value)
    if rule is None:
        rule = _read(line)
        if len(line.value) <= _KEPT_CHARACTERS:
            if len(_accepted) >= _KEPT_RULES:
                _accepted.clear()
            _accepted[line.value] = rule
    return rule


def _read(line: ContentLine) -> Rule:
    parts = _split(line)
    if "FREQ" not in parts:
        raise refuse("FREQ is missing", "FREQ", line.value, line.at(0), f"FREQ=DAILY;{line.value}"[:80])
    values: dict[str, object] = {
        _READERS[part.name][0]: _READERS[part.name][1](part) for part in parts.values()
    }
    rule = Rule(**values)  # type: ignore[arg-type]  # the keys are its fields
    _refuse_forbidden(rule, parts)
    return rule


def _split(line: ContentLine) -> dict[str, _Part]:
    parts: dict[str, _Part] = {}
    offset = 0
    for piece in line.value.split(";"):
        name, equals, value = piece.partition("=")
        part = _Part(name.upper(), value, line.at(offset))
        if part.name not in _PARTS:
            message = "an empty part" if not piece else "not a part of a recurrence rule"
            raise refuse(message, part.name or line.name, piece, part.position, _hint_for_unknown(part))
        if not equals or not value:
            raise part.refuse("has no value")
        if part.name in parts:
            raise part.refuse("is given twice")
        parts[part.name] = part
        offset += len(piece) + 1
    return parts


def _hint_for_unknown(part: _Part) -> str | None:
    if part.name == "BYWEEKDAY":
        return f"BYDAY={part.value}"
    if part.name == "DTSTART":
        return "DTSTART is a line of its own, before the rule"
    return _meant(part.name, _PARTS)


def _meant(word: str, known: Iterable[str]) -> str | None:
    near = did_you_mean(word, known)
    return f"Did you mean {near}?" if near else None


def _frequency(part: _Part) -> Frequency:
    try:
        return Frequency[part.value.upper()]
    except KeyError:
        known = Frequency.__members__
        hint = _meant(part.value.upper(), known)
        raise part.refuse(f"is not one of {', '.join(known)}", hint) from None


def _positive(part: _Part) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", part.value) or int(part.value) == 0:
        raise part.refuse("is not a whole number from 1 to 9999999999")
    return int(part.value)


def _until(part: _Part) -> Moment:
    return read_moment(part.value, "UNTIL", part.value_position)


def _week_start(part: _Part) -> int:
    if part.value.upper() not in WEEKDAYS:
        raise part.refuse(f"is not one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(part.value.upper())


def _rscale(part: _Part) -> bool:
    if part.value.upper() != "GREGORIAN":
        raise part.refuse(f"the calendar {part.value[:40]} is not supported", "RSCALE=GREGORIAN")
    return True


def _skip(part: _Part) -> Skip:
    try:
        return Skip[part.value.upper()]
    except KeyError:
        raise part.refuse(f"is not one of {', '.join(Skip.__members__)}") from None


def _numbers(part: _Part) -> tuple[int, ...]:
    allowed = _RANGES[part.name]
    items = part.value.split(",")
    if len(items) > allowed.size:
        raise part.refuse(f"lists more than the {allowed.size} values there are")
    found = set()
    position = part.value_position
    for item in items:
        number = int(item) if _NUMBER.fullmatch(item) and (allowed.signed or item.isdigit()) else None
        if number is None or number not in allowed:
            raise refuse(f"is not a whole number of {allowed}", part.name, item, position)
        found.add(number)
        position += len(item) + 1
    return tuple(sorted(found))


def _weekdays(part: _Part) -> tuple[WeekdayItem, ...]:
    items = part.value.split(",")
    if len(items) > _LONGEST_BYDAY:
        raise part.refuse(f"lists more than the {_LONGEST_BYDAY} values there are")
    found = set()
    position = part.value_position
    for item in items:
        match = _WEEKDAY.fullmatch(item)
        nth = int(match.group(1)) if match and match.group(1) else 0
        if match is None or (match.group(1) and not 1 <= abs(nth) <= 53):
            raise refuse("is not a weekday such as MO, 2TU or -1FR (1 to 53)", part.name, item, position)
        found.add(WeekdayItem(nth, WEEKDAYS.index(match.group(2).upper())))
        position += len(item) + 1
    return tuple(sorted(found))


_READERS: dict[str, tuple[str, Callable[[_Part], object]]] = {
    "FREQ": ("frequency", _frequency),
    "INTERVAL": ("interval", _positive),
    "COUNT": ("count", _positive),
    "UNTIL": ("until", _until),
    "WKST": ("week_start", _week_start),
    "RSCALE": ("rscale", _rscale),
    "SKIP": ("skip", _skip),
    "BYDAY": ("weekdays", _weekdays),
    **{name: (allowed.field, _numbers) for name, allowed in _RANGES.items()},
}


def _refuse_forbidden(rule: Rule, parts: dict[str, _Part]) -> None:
    """Everything that RFC 5545 3.3.10 (and RFC 7529 4.1 for SKIP) says a rule MUST NOT hold."""

    def refused(name: str, message: str, **instead: object) -> Exception:
        better = replace(rule, **instead) if instead and rule.interval == 1 else None  # type: ignore[arg-type]
        return parts[name].refuse(message, str(better) if better else None)

    frequency = rule.frequency
    numbered = any(item.nth for item in rule.weekdays)
    if rule.count is not None and rule.until is not None:
        raise parts["UNTIL"].refuse(
            "stands beside COUNT; only one of them may end a rule", "Leave one of them out"
        )
    if rule.week_numbers and frequency != Frequency.YEARLY:
        raise refused("BYWEEKNO", "is allowed only with FREQ=YEARLY", frequency=Frequency.YEARLY)
    if rule.year_days and frequency in (Frequency.DAILY, Frequency.WEEKLY, Frequency.MONTHLY):
        raise refused("BYYEARDAY", f"is not allowed with FREQ={frequency.name}", frequency=Frequency.YEARLY)
    if rule.month_days and frequency == Frequency.WEEKLY:
        raise refused("BYMONTHDAY", "is not allowed with FREQ=WEEKLY", frequency=Frequency.DAILY)
    if numbered and frequency not in (Frequency.MONTHLY, Frequency.YEARLY):
        raise refused(
            "BYDAY", f"weekdays have no number with FREQ={frequency.name}", frequency=Frequency.MONTHLY
        )
    if numbered and rule.week_numbers:
        plain = tuple(sorted({WeekdayItem(0, item.weekday) for item in rule.weekdays}))
        raise refused("BYDAY", "weekdays have no number beside BYWEEKNO", weekdays=plain)
    if rule.positions and not any(values for name, values in rule.lists() if name != "BYSETPOS"):
        raise refused("BYSETPOS", "needs another BY… part to choose from")
    if "SKIP" in parts and not rule.rscale:
        raise refused("SKIP", "needs RSCALE beside it (RFC 7529)", rscale=True)
