"""Runs: stretches of occurrences that are known as arithmetic and made into datetimes on demand."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, repeat
from operator import add
from typing import Protocol

from rrcli.core.recurrence.zones import EPOCH


class Run(Protocol):
    """Ascending occurrences, countable and sliceable without making them all."""

    def __len__(self) -> int: ...

    def take(self, start: int, stop: int) -> list[datetime]:
        """Occurrences `start` to `stop` (exclusive) of the run, as aware UTC datetimes."""
        ...


class Pattern:
    """Ascending times as `starts` × `inner`: every start plus every inner offset.

    The spans that begin at `starts` do not overlap. Times are relative to some moment
    that is known only when they are taken.
    """

    __slots__ = ("_inner", "_starts", "_width", "size")

    def __init__(self, starts: Sequence[timedelta], inner: Sequence[timedelta]) -> None:
        self._starts = starts
        self._inner = inner
        self._width = len(inner)
        self.size = len(starts) * len(inner)

    @property
    def is_flat(self) -> bool:
        """Whether every start has just one time, so that times can be moved one by one."""
        return self._width <= 1

    def moved(self, pieces: Iterable[tuple[int, int, timedelta]]) -> "Pattern":
        """The pattern, which is flat, with each piece [low, high) moved by its delta."""
        assert self.is_flat
        inner = self._inner[0]
        starts: list[timedelta] = []
        for low, high, delta in pieces:
            total = inner + delta
            starts += [start + total for start in self._starts[low:high]]
        return Pattern(starts, (timedelta(0),))

    def rank(self, time: timedelta) -> int:
        """How many times of the pattern come before `time`."""
        span = bisect_right(self._starts, time) - 1
        if span < 0:
            return 0
        return span * self._width + bisect_left(self._inner, time - self._starts[span])

    def take(self, base: datetime, start: int, stop: int) -> list[datetime]:
        """Times `start` to `stop` (exclusive), added to `base`."""
        width = self._width
        if width == 1:
            base += self._inner[0]
            return [base + span for span in self._starts[start:stop]]
        first, last = start // width, (stop - 1) // width
        if first == last:
            base += self._starts[first]
            return [base + offset for offset in self._inner[start - first * width : stop - first * width]]
        found: list[datetime] = []
        for span_start in self._starts[first : last + 1]:
            span = base + span_start
            found += [span + offset for offset in self._inner]
        return found[start - first * width : stop - first * width]


@dataclass(slots=True)
class PatternRun:
    """Times `first` to `last` (exclusive) of a pattern, seen from `base`."""

    pattern: Pattern
    base: datetime
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first

    def take(self, start: int, stop: int) -> list[datetime]:
        """See `Run.take`."""
        return self.pattern.take(self.base, self.first + start, self.first + stop)


class SteppedRun:
    """Evenly spaced instants, each followed by the same offsets: the occurrences in [begin, end).

    `offsets` are ascending, shorter than the step, and `(0,)` where the instants stand alone.
    """

    __slots__ = ("_first", "_last", "_offsets", "instants")

    def __init__(self, instants: range, offsets: tuple[timedelta, ...], begin: int, end: int) -> None:
        self.instants = instants
        self._offsets = offsets
        self._first = self._rank(begin) if len(offsets) > 1 else 0
        self._last = self._rank(end) if len(offsets) > 1 else len(instants)

    def __len__(self) -> int:
        return max(self._last - self._first, 0)

    def _rank(self, instant: int) -> int:
        """How many occurrences come before `instant`."""
        period = (instant - self.instants.start) // self.instants.step
        if period < 0:
            return 0
        period = min(period, len(self.instants) - 1)
        into_period = timedelta(0, instant - self.instants[period])
        return period * len(self._offsets) + bisect_left(self._offsets, into_period)

    def take(self, start: int, stop: int) -> list[datetime]:
        """See `Run.take`."""
        start, stop, width = start + self._first, stop + self._first, len(self._offsets)
        first, last = start // width, (stop - 1) // width
        begin = EPOCH + timedelta(0, self.instants[first])
        steps = repeat(timedelta(0, self.instants.step), last - first)
        spaced: Iterable[datetime] = accumulate(steps, add, initial=begin)
        if width == 1:
            return list(spaced)
        found = [base + offset for base in spaced for offset in self._offsets]
        return found[start - first * width : stop - first * width]


@dataclass(slots=True)
class ListedRun:
    """A few occurrences that are listed as they are."""

    times: list[datetime]

    def __len__(self) -> int:
        return len(self.times)

    def take(self, start: int, stop: int) -> list[datetime]:
        """See `Run.take`."""
        return self.times[start:stop]
