"""One RRULE as read: its parts, their defaults, and its canonical text (RFC 5545 3.3.10)."""

from dataclasses import dataclass, replace
from enum import IntEnum

from rrcli.core.recurrence.moments import Moment

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Frequency(IntEnum):
    """FREQ, from the longest period to the shortest, so that `>=` reads "at least as fine"."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


class Skip(IntEnum):
    """What happens to a date that does not exist (RFC 7529 4.1)."""

    OMIT = 0
    BACKWARD = 1
    FORWARD = 2


@dataclass(frozen=True, slots=True, order=True)
class WeekdayItem:
    """One item of BYDAY: a weekday (0 is Monday), `nth` of its period; 0 means every one."""

    nth: int
    weekday: int

    def __str__(self) -> str:
        return f"{self.nth or ''}{WEEKDAYS[self.weekday]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The parts of one RRULE or EXRULE. Empty tuples are parts that are not given; lists are sorted."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: Moment | None = None
    week_start: int = 0
    skip: Skip = Skip.OMIT
    rscale: bool = False
    months: tuple[int, ...] = ()
    week_numbers: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    weekdays: tuple[WeekdayItem, ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()

    @property
    def is_elapsed(self) -> bool:
        """Whether it steps in elapsed time (HOURLY and finer) rather than in wall time."""
        return self.frequency >= Frequency.HOURLY

    def completed(self, month: int, day: int, weekday: int) -> "Rule":
        """The rule with the date parts that it leaves to DTSTART (month, day of month, weekday)."""
        items = (WeekdayItem(0, weekday),)
        match self.frequency:
            case Frequency.YEARLY if not (self.year_days or self.month_days or self.weekdays):
                if self.week_numbers:
                    return replace(self, weekdays=items)
                return replace(self, months=self.months or (month,), month_days=(day,))
            case Frequency.MONTHLY if not (self.month_days or self.weekdays):
                return replace(self, month_days=(day,))
            case Frequency.WEEKLY if not self.weekdays:
                return replace(self, weekdays=items)
            case _:
                return self

    def __str__(self) -> str:
        parts = [f"FREQ={self.frequency.name}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={self.until}")
        for name, values in self.lists():
            if values:
                parts.append(f"{name}={','.join(map(str, values))}")
        if self.week_start:
            parts.append(f"WKST={WEEKDAYS[self.week_start]}")
        if self.rscale:
            parts.append("RSCALE=GREGORIAN")
            parts.extend([f"SKIP={self.skip.name}"] if self.skip else [])
        return ";".join(parts)

    def lists(self) -> tuple[tuple[str, tuple[object, ...]], ...]:
        """The BY… parts by name, in the order in which the RFC applies them."""
        return (
            ("BYMONTH", self.months),
            ("BYWEEKNO", self.week_numbers),
            ("BYYEARDAY", self.year_days),
            ("BYMONTHDAY", self.month_days),
            ("BYDAY", self.weekdays),
            ("BYHOUR", self.hours),
            ("BYMINUTE", self.minutes),
            ("BYSECOND", self.seconds),
            ("BYSETPOS", self.positions),
        )
