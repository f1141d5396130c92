"""A holiday calendar as it is stored: whole days, and spans of time; where they came from is forgotten."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import accumulate

from rrcli.core.models import require_utc


@dataclass(frozen=True, kw_only=True, slots=True)
class Holiday:
    """A whole day, on whatever clock the schedule is."""

    day: date
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Closure:
    """From `start` up to, and without, `end`."""

    start: datetime
    end: datetime
    title: str

    def __post_init__(self) -> None:
        require_utc(start=self.start, end=self.end)


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """Holidays by day and closures by start. `version` is another one after every import."""

    name: str
    version: str
    holidays: tuple[Holiday, ...] = ()
    closures: tuple[Closure, ...] = ()
    updated_at: datetime

    def __post_init__(self) -> None:
        require_utc(updated_at=self.updated_at)

    def on(self, day: date) -> Holiday | None:
        """The holiday on that day."""
        return self._by_day.get(day)

    def during(self, instant: datetime) -> Closure | None:
        """A closure that holds the instant."""
        index = bisect_right(self._starts, instant) - 1
        while index >= 0 and self._latest_ends[index] > instant:
            if self.closures[index].end > instant:
                return self.closures[index]
            index -= 1
        return None

    @cached_property
    def _by_day(self) -> Mapping[date, Holiday]:
        return {holiday.day: holiday for holiday in reversed(self.holidays)}

    @cached_property
    def _starts(self) -> list[datetime]:
        return [closure.start for closure in self.closures]

    @cached_property
    def _latest_ends(self) -> list[datetime]:
        """Up to each closure the latest end: closures may overlap."""
        return list(accumulate((closure.end for closure in self.closures), max))
