"""Rules that step by days, weeks, months or years: their wall times, year by year.

A year's times follow from its shape and from where in the interval it lies, so they are
worked out once and kept; nothing is ever walked from DTSTART.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cached_property, lru_cache
from math import lcm

from rrcli.core.recurrence.calendar import (
    DAY_SECONDS,
    FIRST_YEAR,
    LAST_YEAR,
    MARGIN,
    YearShape,
    bits,
    chosen,
    date_of,
    january_first,
    mask_of,
    shape_of,
    spaced_mask,
    year_cycle,
    year_of,
)
from rrcli.core.recurrence.days import ALL_MONTHS, day_filter, in_year
from rrcli.core.recurrence.rule import Frequency, Rule
from rrcli.core.recurrence.runs import Pattern, PatternRun
from rrcli.core.recurrence.zones import EPOCH

# Patterns are dropped when together they hold this many times (about 1 MB).
_KEPT_TIMES = 24_000
_KEPT_PATTERNS = 2_000
# Days in the 400 years after which the Gregorian calendar repeats, a whole number of weeks.
_CYCLE_DAYS = 146_097
_LONGEST_YEAR_DAYS = 366
# Above this many times a day, a pattern is laid out by hours instead of by days.
_TIMES_BY_DAY = 1_440
_MIDNIGHTS = tuple(timedelta(day) for day in range(-MARGIN, 366 + MARGIN))

PatternKey = tuple[int, int]


class DayTimes:
    """The times of day of a rule: every hour with every second of the hour, never laid out in full."""

    def __init__(self, rule: Rule, start_second: int) -> None:
        hour, rest = divmod(start_second, 3600)
        minute, second = divmod(rest, 60)
        self.hours = rule.hours or (hour,)
        seconds = [number for number in rule.seconds if number < 60] if rule.seconds else [second]
        self.in_hour = tuple(
            60 * minute + second for minute in rule.minutes or (minute,) for second in seconds
        )

    def __len__(self) -> int:
        return len(self.hours) * len(self.in_hour)

    def __getitem__(self, index: int) -> int:
        """Second of the day of the time number `index`."""
        hour, rest = divmod(index, len(self.in_hour))
        return self.hours[hour] * 3600 + self.in_hour[rest]


class CalendarSteps:
    """The wall times of a rule whose FREQ is DAILY, WEEKLY, MONTHLY or YEARLY."""

    def __init__(self, rule: Rule, start_wall: int) -> None:
        self._rule = rule
        self._interval = rule.interval
        self._days = day_filter(rule)
        self._start_day = start_wall // DAY_SECONDS
        self._start_week = self._week(self._start_day)
        start = date_of(self._start_day)
        self._start_year = start.year
        self._start_month = start.year * 12 + start.month - 1
        self._times = DayTimes(rule, start_wall % DAY_SECONDS)
        self._steps_all = rule.interval == 1 and not self._days.leaves_year
        self._kept: dict[PatternKey, Pattern] = {}
        self._kept_times = 0

    def years(self, first: int, last: int) -> Iterator[tuple[int, PatternKey, Pattern]]:
        """The years from `first` to `last` (inclusive) that hold occurrences, with their times."""
        first, last = max(first, FIRST_YEAR), min(last, LAST_YEAR)
        fruitful, cycle = first, year_cycle()
        for year in self._years_in_step(first, last):
            key = (cycle[year % 400].key, 0) if self._steps_all else self._pattern_key(year)
            pattern = self._kept.get(key) or self.pattern(year)
            if pattern.size:
                fruitful = year
                yield year, key, pattern
            elif year - fruitful > self._repeats_after:
                return

    def _years_in_step(self, first: int, last: int) -> Iterable[int]:
        """Those of the years from `first` to `last` that the interval does not pass over as a whole."""
        if self._rule.frequency == Frequency.YEARLY and not self._days.leaves_year:
            return range(first + (self._start_year - first) % self._interval, last + 1, self._interval)
        if self._rule.frequency == Frequency.DAILY and self._interval > _LONGEST_YEAR_DAYS:
            begin, end = january_first(first), january_first(last + 1)
            begin += (self._start_day - begin) % self._interval
            return map(year_of, range(begin, end, self._interval))
        return range(first, last + 1)

    def pattern(self, year: int) -> Pattern:
        """The times of a year, relative to its 1 January."""
        key = self._pattern_key(year)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._build(year, shape_of(year))
            self._kept_times += kept.size
            if self._kept_times > _KEPT_TIMES or len(self._kept) > _KEPT_PATTERNS:
                self._kept.clear()
                self._kept_times = kept.size
            self._kept[key] = kept
        return kept

    def _pattern_key(self, year: int) -> PatternKey:
        """What the times of a year depend on: its shape, and where in the interval it begins."""
        return shape_of(year).key, 0 if self._steps_all else self._phase(year)

    def meets(self, begin: int, end: int) -> bool:
        """Whether there is an occurrence with wall time in [begin, end), which may cross years."""
        return any(len(run) for run in self._runs_by_year(begin, end))

    def walls(self, begin: int, end: int) -> Iterator[int]:
        """The wall seconds in [begin, end), which may cross years."""
        for run in self._runs_by_year(begin, end):
            for time in run.take(0, len(run)) if len(run) else ():
                yield (time - EPOCH) // timedelta(seconds=1)

    def _runs_by_year(self, begin: int, end: int) -> Iterator[PatternRun]:
        while begin < end:
            year = year_of(begin // DAY_SECONDS)
            first, year_end = january_first(year) * DAY_SECONDS, january_first(year + 1) * DAY_SECONDS
            pattern = self.pattern(year)
            start = pattern.rank(timedelta(0, begin - first))
            stop = pattern.rank(timedelta(0, min(end, year_end) - first))
            yield PatternRun(pattern, EPOCH + timedelta(0, first), start, stop)
            begin = year_end

    def most(self, begin: int, end: int) -> int:
        """No fewer occurrences than there can be in the wall time [begin, end)."""
        days = (end - begin) // DAY_SECONDS + 2
        per_day = len(self._times)
        match self._rule.frequency:
            case Frequency.DAILY:
                return (days // self._interval + 2) * per_day
            case Frequency.WEEKLY:
                return (days // (7 * self._interval) + 2) * len(self._rule.weekdays) * per_day
            case _:
                return days * per_day

    @cached_property
    def _repeats_after(self) -> int:
        """Years after which everything comes again: the calendar does so after 400 years."""
        match self._rule.frequency:
            case Frequency.YEARLY:
                return lcm(400, self._interval)
            case Frequency.MONTHLY:
                return lcm(400 * 12, self._interval) // 12
            case Frequency.WEEKLY:
                return lcm(_CYCLE_DAYS // 7, self._interval) // (_CYCLE_DAYS // 7) * 400
            case _:
                return lcm(_CYCLE_DAYS, self._interval) // _CYCLE_DAYS * 400

    def _week(self, day: int) -> int:
        """The number of the week, as WKST begins it, in which `day` lies."""
        return (day + 3 - self._rule.week_start) // 7

    def _phase(self, year: int) -> int:
        """Where in the interval the year begins; equal phases and shapes have equal patterns."""
        if self._days.leaves_year:
            return year
        match self._rule.frequency:
            case Frequency.YEARLY:
                return (year - self._start_year) % self._interval
            case Frequency.MONTHLY:
                return (year * 12 - self._start_month) % self._interval
            case Frequency.WEEKLY:
                return (self._week(january_first(year)) - self._start_week) % self._interval
            case _:
                return (january_first(year) - self._start_day) % self._interval

    def _build(self, year: int, shape: YearShape) -> Pattern:
        if self._days.leaves_year:
            return self._gathered(year)
        if self._rule.positions and self._rule.frequency != Frequency.DAILY:
            return _listed(time for time in self._chosen(year, shape) if 0 <= time[0] < shape.length)
        return self._laid_out(_midnights(in_year(self._stepped_mask(year, shape), shape)))

    def _stepped_mask(self, year: int, shape: YearShape) -> int:
        """The allowed days of those periods that the interval selects."""
        match self._rule.frequency:
            case Frequency.YEARLY:
                return self._days.year_mask(shape) if self._in_step(year) else 0
            case Frequency.MONTHLY:
                months = self._stepped_months(year)
                return self._days.mask(shape, months) if len(months) < 12 else self._days.year_mask(shape)
            case _:
                mask = self._days.year_mask(shape)
                return mask if self._interval == 1 else mask & self._stepped_days(year, shape)

    def _in_step(self, year: int) -> bool:
        return (year - self._start_year) % self._interval == 0

    def _stepped_months(self, year: int) -> list[int]:
        phase = year * 12 - self._start_month
        return [month for month in ALL_MONTHS if (phase + month - 1) % self._interval == 0]

    def _stepped_days(self, year: int, shape: YearShape) -> int:
        if self._rule.frequency == Frequency.DAILY:
            return spaced_mask(-self._phase(year) % self._interval, shape.length, self._interval)
        weeks = self._stepped_weeks(year, shape)
        return spaced_mask(weeks.start, weeks.stop, weeks.step, 7)

    def _stepped_weeks(self, year: int, shape: YearShape) -> range:
        """First days of the selected weeks that reach into the year; the first may begin before it."""
        into_week = (shape.weekday - self._rule.week_start) % 7
        return range(7 * (-self._phase(year) % self._interval) - into_week, shape.length, 7 * self._interval)

    def _laid_out(self, days: tuple[timedelta, ...]) -> Pattern:
        """Every day with every time of day, or with those that a DAILY rule's BYSETPOS chooses."""
        times = self._times
        chosen = range(len(times))
        if self._rule.positions:
            chosen = _positions(self._rule.positions, len(times))  # type: ignore[assignment]
        if not chosen or not days:
            return Pattern((), ())
        if len(chosen) <= _TIMES_BY_DAY:
            inner = tuple(timedelta(0, times[index]) for index in chosen)
            return Pattern(days, inner)
        starts = tuple(day + timedelta(0, hour * 3600) for day in days for hour in times.hours)
        return Pattern(starts, tuple(timedelta(0, second) for second in times.in_hour))

    def _chosen(self, year: int, shape: YearShape) -> Iterator[tuple[int, int]]:
        """(day of the year, second of the day) of what BYSETPOS leaves of each period."""
        width = len(self._times)
        for days in self._periods(year, shape):
            for index in _positions(self._rule.positions, len(days) * width):
                yield days[index // width], self._times[index % width]

    def _periods(self, year: int, shape: YearShape) -> Iterator[list[int]]:
        """The allowed days of each selected period, counted from 1 January."""
        match self._rule.frequency:
            case Frequency.YEARLY:
                yield bits(self._days.year_mask(shape)) if self._in_step(year) else []
            case Frequency.MONTHLY:
                for month in self._stepped_months(year):
                    yield bits(self._days.mask(shape, [month]))
            case _:
                for first in self._stepped_weeks(year, shape):
                    yield [day for day in range(first, first + 7) if self._allows(year, shape, day)]

    def _allows(self, year: int, shape: YearShape, day: int) -> bool:
        """Whether the date parts allow a day that may lie in the year before or after."""
        if day < 0:
            shape = shape_of(year - 1)
            day += shape.length
        elif day >= shape.length:
            day -= shape.length
            shape = shape_of(year + 1)
        return bool(self._days.year_mask(shape) >> (day + MARGIN) & 1)

    def _gathered(self, year: int) -> Pattern:
        """The year's own times, with those that SKIP moves in from the year before and after."""
        shape = shape_of(year)
        times: set[tuple[int, int]] = set()
        days: set[int] = set()
        for near in (year - 1, year, year + 1):
            if not self._in_step(near):
                continue
            shift = january_first(near) - january_first(year)
            if self._rule.positions:
                times.update((day + shift, second) for day, second in self._chosen(near, shape_of(near)))
            else:
                days.update(day + shift for day in bits(self._days.year_mask(shape_of(near))))
        if self._rule.positions:
            return _listed(sorted(time for time in times if 0 <= time[0] < shape.length))
        return self._laid_out(_midnights(mask_of(day for day in days if 0 <= day < shape.length)))


@lru_cache(maxsize=256)
def _midnights(mask: int) -> tuple[timedelta, ...]:
    """The midnights of a mask's days, relative to 1 January; shared between rules."""
    return tuple(chosen(_MIDNIGHTS, mask))


def _positions(positions: tuple[int, ...], size: int) -> list[int]:
    """The indices that BYSETPOS names among `size` candidates, ascending."""
    found = {position - 1 if position > 0 else size + position for position in positions}
    return sorted(index for index in found if 0 <= index < size)


def _listed(times: Iterable[tuple[int, int]]) -> Pattern:
    return Pattern(tuple(timedelta(day, second) for day, second in times), (timedelta(0),))
