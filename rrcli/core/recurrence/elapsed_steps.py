"""Rules that step by hours, minutes or seconds: evenly spaced instants, filtered by the wall clock.

The steps count elapsed time, so they do not stumble over changes of offset; the BY… parts
look at the wall clock. Where the offset is constant, both are plain arithmetic: a grid of
instants, days of the year as masks, and blocks of the day.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from heapq import merge
from itertools import pairwise
from math import gcd

from rrcli.core.recurrence.calendar import (
    DAY_SECONDS,
    LAST_YEAR,
    MARGIN,
    YearShape,
    all_shapes,
    bits,
    january_first,
    mask_of,
    shape_of,
    weekday_of,
    year_of,
)
from rrcli.core.recurrence.days import day_filter, in_year
from rrcli.core.recurrence.rule import Frequency, Rule
from rrcli.core.recurrence.runs import SteppedRun
from rrcli.core.recurrence.zones import RULES_ONLY_FROM

_UNIT_SECONDS = {Frequency.HOURLY: 3600, Frequency.MINUTELY: 60, Frequency.SECONDLY: 1}
# Steps that return to the same time of day within this many days are looked up by day.
_LONGEST_CYCLE_DAYS = 400

_MANY_BLOCKS = 100
_ALL_HOURS = frozenset(range(24))
_ALL_SIXTY = frozenset(range(60))

Block = tuple[int, int]


class ElapsedSteps:
    """The occurrences of a rule whose FREQ is HOURLY, MINUTELY or SECONDLY."""

    def __init__(self, rule: Rule, start_wall: int, start_offset: int) -> None:
        unit = _UNIT_SECONDS[rule.frequency]
        into_period = start_wall % unit
        self._unit = unit
        self._step = rule.interval * unit
        self._first_period = start_wall - into_period - start_offset
        self._picked, self._by_wall = _within_period(rule, into_period)
        self._days = day_filter(rule)
        self._blocks = _Blocks(rule)
        self._cycle = self._step // gcd(self._step, DAY_SECONDS)
        # Many blocks make a hit likely, so that days can be tried one after the other.
        self._by_mask = self._cycle <= _LONGEST_CYCLE_DAYS or self._blocks.count > _MANY_BLOCKS
        self._hit_days = lru_cache(maxsize=64)(self._find_hit_days)
        self._cycle_mask = lru_cache(maxsize=512)(self._find_cycle_mask)

    def most(self, begin: int, end: int) -> int:
        """No fewer occurrences than there can be in the instants [begin, end)."""
        return ((end - begin) // self._step + 2) * len(self._picked)

    def never(self, offset: int) -> bool:
        """Whether nothing can match from 2200 on while `offset` holds; False also when that is not known."""
        grids = [phase for phase, offsets in self._grids(offset) if offsets]
        if not self._by_mask:
            days = january_first(RULES_ONLY_FROM), january_first(LAST_YEAR + 1) - 1
            return all(next(self._rarely_met_days(phase, *days), None) is None for phase in grids)
        return not any(
            self._met_mask(phase, shape, first)
            for phase in grids
            for shape in all_shapes()
            for first in self._first_days(shape)
        )

    def _first_days(self, shape: YearShape) -> range:
        """The days of the cycle that can be 1 January of such a year."""
        if self._cycle > _LONGEST_CYCLE_DAYS:
            return range(1)  # masks of long cycles leave the grid out of account
        if self._cycle % 7:
            return range(self._cycle)
        # Day 0 was a Thursday, so in whole weeks the weekday gives the day away.
        return range((shape.weekday - weekday_of(0)) % 7, self._cycle, 7)

    def next_period(self, begin: int) -> int:
        """The first instant at or after `begin` that lies in a period of the rule."""
        into_step = (begin - self._first_period) % self._step
        return begin if into_step < self._unit else begin - into_step + self._step

    def runs(self, begin: int, end: int, offset: int) -> Iterator[SteppedRun]:
        """The occurrences in the instants [begin, end), in which `offset` holds, in ascending runs."""
        grids = self._grids(offset)
        if len(grids) == 1:
            yield from self._grid_runs(*grids[0], begin, end, offset)
            return
        # The periods lie askew to the hours of the wall clock (a zone that moved by half an
        # hour), so every pick is a grid of its own with its own hours.
        alone = (timedelta(0),)
        for instant in merge(
            *(_instants(self._grid_runs(phase, alone, begin, end, offset)) for phase, _ in grids)
        ):
            yield SteppedRun(range(instant, instant + 1), alone, instant, instant + 1)

    def _grids(self, offset: int) -> list[tuple[int, tuple[timedelta, ...]]]:
        """(phase of the grid on the wall clock, offsets of the occurrences from each grid point)."""
        base = self._first_period + offset
        askew = base % self._unit if self._by_wall else 0
        if len(self._picked) == 1 or (askew and self._picked):
            return [
                ((base + (pick - askew) % self._unit) % self._step, (timedelta(0),)) for pick in self._picked
            ]
        return [(base % self._step, tuple(timedelta(0, pick) for pick in self._picked))]

    def _grid_runs(
        self, phase: int, offsets: tuple[timedelta, ...], begin: int, end: int, offset: int
    ) -> Iterator[SteppedRun]:
        """Runs of one grid in the instants [begin, end)."""
        if not offsets:
            return
        low = begin + offset
        if len(offsets) > 1:
            low = self._aligned_low(low, phase)
        for block_begin, block_end in self._stretches(phase, low, end + offset):
            first = block_begin + (phase - block_begin) % self._step
            if first < block_end:
                run = SteppedRun(range(first - offset, block_end - offset, self._step), offsets, begin, end)
                if len(run):
                    yield run

    def _aligned_low(self, low: int, phase: int) -> int:
        """`low`, or the start of the period that it lies in when that period is a grid point."""
        start = low - (low - phase) % self._unit
        return start if (start - phase) % self._step == 0 else low

    def _stretches(self, phase: int, low: int, high: int) -> Iterator[Block]:
        """The parts of the wall time [low, high) in which days and time of day are allowed."""
        if self._blocks.whole_day and self._days.allows_all():
            yield low, high
            return
        for day in self._allowed_days(phase, low, high):
            midnight = day * DAY_SECONDS
            begin, end = max(low - midnight, 0), min(high - midnight, DAY_SECONDS)
            if self._step >= DAY_SECONDS or DAY_SECONDS // self._step < self._blocks.count:
                yield from self._single_points(phase, midnight, begin, end)
            else:
                for block_begin, block_end in self._blocks.within(begin, end):
                    yield midnight + block_begin, midnight + block_end

    def _single_points(self, phase: int, midnight: int, begin: int, end: int) -> Iterator[Block]:
        first = begin + (phase - midnight - begin) % self._step
        for second in range(first, end, self._step):
            if self._blocks.holds(second):
                yield midnight + second, midnight + second + 1

    def _allowed_days(self, phase: int, low: int, high: int) -> Iterator[int]:
        """The days in [low, high) that the date parts allow and that the grid can meet."""
        day, last = low // DAY_SECONDS, (high - 1) // DAY_SECONDS
        if not self._by_mask:
            yield from self._rarely_met_days(phase, day, last)
            return
        while day <= last:
            year = year_of(day)
            shape, first = shape_of(year), january_first(year)
            if year > LAST_YEAR or first + shape.length <= day:
                return
            mask = self._met_mask(phase, shape, first)
            mask = (mask >> (day - first + MARGIN)) << (day - first + MARGIN)
            for number in bits(mask):
                if first + number > last:
                    return
                yield first + number
            day = first + shape.length

    def _rarely_met_days(self, phase: int, day: int, last: int) -> Iterator[int]:
        """The same for a step with a long cycle: by turns the next allowed day and the next met one."""
        while (allowed := self._next_allowed_day(day, last)) is not None:
            met = self._next_met_day(phase, allowed)
            if met is None:
                return
            if met == allowed:
                yield met
            day = allowed + 1 if met == allowed else met

    def _next_allowed_day(self, day: int, last: int) -> int | None:
        while day <= last:
            year = year_of(day)
            shape, first = shape_of(year), january_first(year)
            if first + shape.length <= day:
                return None
            mask = in_year(self._days.year_mask(shape), shape) >> (day - first + MARGIN)
            if mask:
                found = day + (mask & -mask).bit_length() - 1
                return found if found <= last else None
            day = first + shape.length
        return None

    def _next_met_day(self, phase: int, day: int) -> int | None:
        """The first day, `day` or later, on which the grid meets an allowed time of day."""
        found = []
        for begin, end in self._blocks.within(0, DAY_SECONDS):
            length = min(end - begin, self._step)
            # Seconds from the block's begin to the next grid point; each day that passes moves it.
            away = (phase - begin - day * DAY_SECONDS) % self._step
            if away < length:
                return day
            low = self._step - away
            days = first_multiple_within(-DAY_SECONDS % self._step, self._step, low, low + length - 1)
            if days is not None:
                found.append(day + days)
        return min(found, default=None)

    def _met_mask(self, phase: int, shape: YearShape, first: int) -> int:
        mask = in_year(self._days.year_mask(shape), shape)
        if not mask:
            return mask
        if self._cycle > _LONGEST_CYCLE_DAYS:
            return mask
        hits = self._hit_days(phase)
        if all(hits):
            return mask
        return mask & self._cycle_mask(phase, first % self._cycle)

    def _find_hit_days(self, phase: int) -> tuple[bool, ...]:
        """For each day of the cycle whether the grid meets an allowed time of day."""
        return tuple(self._meets(phase, day * DAY_SECONDS) for day in range(self._cycle))

    def _find_cycle_mask(self, phase: int, first: int) -> int:
        """The met days of a year whose 1 January is day `first` of the cycle."""
        hits = self._hit_days(phase)
        return mask_of(day for day in range(366) if hits[(first + day) % self._cycle])

    def _meets(self, phase: int, midnight: int) -> bool:
        if self._step >= DAY_SECONDS or DAY_SECONDS // self._step < self._blocks.count:
            return any(True for _ in self._single_points(phase, midnight, 0, DAY_SECONDS))
        return any(
            begin + (phase - midnight - begin) % self._step < end
            for begin, end in self._blocks.within(0, DAY_SECONDS)
        )


class _Blocks:
    """The allowed stretches of a day: whole hours, or stretches within each allowed hour."""

    def __init__(self, rule: Rule) -> None:
        minutes = frozenset(rule.minutes) if rule.frequency >= Frequency.MINUTELY else frozenset()
        seconds = frozenset(rule.seconds) if rule.frequency >= Frequency.SECONDLY else frozenset()
        self._hours = frozenset(rule.hours) or _ALL_HOURS
        self._minutes = minutes or _ALL_SIXTY
        self._seconds = seconds or _ALL_SIXTY
        self.whole_day = not (rule.hours or minutes or seconds)
        self._in_hour: tuple[Block, ...] = ()
        if minutes or seconds:
            allowed = [
                60 * minute + second
                for minute in sorted(self._minutes)
                for second in (sorted(self._seconds & _ALL_SIXTY) if seconds else range(60))
            ]
            self._in_hour = _joined(allowed, 1)
            self._day: tuple[Block, ...] = tuple(
                (hour * 3600, hour * 3600 + 3600) for hour in sorted(self._hours)
            )
        else:
            self._day = _joined([hour * 3600 for hour in sorted(self._hours)], 3600)
        self._only_hours = not (minutes or seconds)
        self.count = len(self._day) * (1 if self._only_hours else len(self._in_hour))

    def holds(self, second: int) -> bool:
        """Whether that second of the day is allowed."""
        return (
            second // 3600 in self._hours
            and second // 60 % 60 in self._minutes
            and second % 60 in self._seconds
        )

    def within(self, begin: int, end: int) -> Iterator[Block]:
        """The allowed stretches of the seconds [begin, end) of a day, cut to it."""
        for hour_begin, hour_end in self._day:
            if hour_end <= begin or hour_begin >= end:
                continue
            if self._only_hours:
                yield max(hour_begin, begin), min(hour_end, end)
                continue
            for low, high in self._in_hour:
                if hour_begin + high > begin and hour_begin + low < end:
                    yield max(hour_begin + low, begin), min(hour_begin + high, end)


def _joined(starts: list[int], length: int) -> tuple[Block, ...]:
    """Stretches of `length` seconds, those that touch made one."""
    if not starts:
        return ()
    breaks = [low for low, high in pairwise(starts) if high > low + length]
    begins = [starts[0], *(high for low, high in pairwise(starts) if high > low + length)]
    ends = [*breaks, starts[-1]]
    return tuple((begin, end + length) for begin, end in zip(begins, ends, strict=True))


def _within_period(rule: Rule, into_period: int) -> tuple[tuple[int, ...], bool]:
    """Seconds from the start of a period at which it fires, and whether the wall clock decides them.

    BYSETPOS chooses among them: every period of a rule has the same ones.
    """
    minute, second = divmod(into_period, 60)
    seconds = [number for number in rule.seconds if number < 60] if rule.seconds else [second]
    if rule.frequency == Frequency.SECONDLY:
        picks = [0]
    elif rule.frequency == Frequency.MINUTELY:
        picks = seconds
    else:
        picks = [60 * number + second for number in rule.minutes or (minute,) for second in seconds]
    if rule.positions:
        size = len(picks)
        chosen = {position - 1 if position > 0 else size + position for position in rule.positions}
        picks = [picks[index] for index in sorted(chosen) if 0 <= index < size]
    by_wall = bool(rule.minutes) if rule.frequency == Frequency.HOURLY else bool(rule.seconds)
    return tuple(picks), by_wall and rule.frequency != Frequency.SECONDLY


def _instants(runs: Iterator[SteppedRun]) -> Iterator[int]:
    for run in runs:
        yield from run.instants


def first_multiple_within(factor: int, modulus: int, low: int, high: int) -> int | None:
    """The least n >= 0 with low <= n * factor % modulus <= high, None when there is none.

    It descends like Euclid's algorithm, so that the number of turns is the logarithm of the modulus.
    Needs 0 <= factor < modulus and 0 <= low <= high < modulus.
    """
    if low == 0:
        return 0
    if factor == 0:
        return None
    least = -(-low // factor)
    if least * factor <= high:
        return least
    wraps = first_multiple_within(modulus % factor, factor, -high % factor, -low % factor)
    return None if wraps is None else -(-(low + modulus * wraps) // factor)
