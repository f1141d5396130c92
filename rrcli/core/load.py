"""How many events fall due when: counts per second, and what they ask of those who make the calls.

Memory depends on the length of time alone: four bytes a second, whatever the number of schedules and events.
"""

import math
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import add

_SECOND = timedelta(seconds=1)
MINUTE_SECONDS = 60
HOUR_SECONDS = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """The busiest stretch of its length: when it begins, and how many events fall due in it."""

    start: datetime
    events: int


class Load:
    """Events due in each second from `start` (a whole second, UTC) on, `seconds` of them.

    `sharp` ones fall on the second itself, all at once; the others are spread within it, by jitter.
    """

    def __init__(self, start: datetime, seconds: int) -> None:
        self.start = start
        self.seconds = seconds
        self._sharp = array("I", bytes(4 * seconds))
        self._spread = array("I", bytes(4 * seconds))
        self._by_minute: list[int] | None = None

    def add_sharp(self, run_times: Iterable[datetime], schedules: int = 1) -> int:
        """Count occurrences of so many schedules, each due at its nominal time; how many were counted."""
        counts, start, added = self._sharp, self.start, 0
        self._by_minute = None
        for run_time in run_times:
            counts[(run_time - start) // _SECOND] += schedules
            added += schedules
        return added

    def add_spread(self, due: datetime) -> None:
        """Count one event that jitter has moved; one moved beyond the end is not of this stretch of time."""
        self._by_minute = None
        second = (due - self.start) // _SECOND
        if 0 <= second < self.seconds:
            self._spread[second] += 1

    @property
    def total(self) -> int:
        """All events."""
        return sum(self._minutes)

    def sums(self, size: int) -> list[int]:
        """Events in each stretch of `size` seconds, one after the other from `start` on."""
        if size == 1:
            return list(map(add, self._sharp, self._spread))
        minutes, rest = divmod(size, MINUTE_SECONDS)
        if rest == 0:
            return [sum(self._minutes[n : n + minutes]) for n in range(0, len(self._minutes), minutes)]
        return self._summed(size)

    @property
    def _minutes(self) -> list[int]:
        """Events of each minute, counted once: most questions are about them."""
        if self._by_minute is None:
            self._by_minute = self._summed(MINUTE_SECONDS)
        return self._by_minute

    def _summed(self, size: int) -> list[int]:
        return [
            sum(self._sharp[begin : begin + size]) + sum(self._spread[begin : begin + size])
            for begin in range(0, self.seconds, size)
        ]

    def peak(self, size: int) -> Peak:
        """The busiest stretch of `size` seconds that begins at a multiple of `size`; the first of equals."""
        sums = self.sums(size)
        events = max(sums)
        number = sums.index(events)
        return Peak(start=self.start + number * size * _SECOND, events=events)

    def calls_at_once(self, call_seconds: float) -> int:
        """Most calls under way at the same time when each starts on time and takes `call_seconds`.

        Sharp events of one second start together; spread ones evenly over it.
        """
        window = max(1, math.ceil(call_seconds))
        share = call_seconds / window
        under_way: deque[tuple[int, int, int]] = deque()
        sharp = spread = 0
        most = 0.0
        for begun in self._busy():
            under_way.append(begun)
            sharp += begun[1]
            spread += begun[2]
            while under_way[0][0] <= begun[0] - window:
                _, ended_sharp, ended_spread = under_way.popleft()
                sharp -= ended_sharp
                spread -= ended_spread
            most = max(most, sharp + spread * share)
        return math.ceil(most)

    def most_late_seconds(self, events_per_second: float) -> float:
        """How late the last call of the worst rush starts when no more than so many start in a second."""
        backlog = most = 0.0
        last = 0
        for second, sharp, spread in self._busy():
            backlog = max(0.0, backlog - (second - last) * events_per_second) + sharp + spread
            most, last = max(most, backlog), second
        return most / events_per_second

    def _busy(self) -> Iterator[tuple[int, int, int]]:
        """The seconds that have events, with their sharp and their spread ones."""
        for number, events in enumerate(self._minutes):
            if events:
                first = number * MINUTE_SECONDS
                for second in range(first, min(first + MINUTE_SECONDS, self.seconds)):
                    if self._sharp[second] or self._spread[second]:
                        yield second, self._sharp[second], self._spread[second]

    def minutes(self) -> Iterator[tuple[datetime, int]]:
        """Each minute and its events, in order."""
        for number, events in enumerate(self._minutes):
            yield self.start + number * MINUTE_SECONDS * _SECOND, events


def percentile(values: Iterable[int], share: float) -> int:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed; 0 of none."""
    in_order = sorted(values)
    if not in_order:
        return 0
    return in_order[min(len(in_order) - 1, max(0, math.ceil(share * len(in_order)) - 1))]
