"""The recurrence set: rules and added dates together, less what is removed (RFC 5545 3.8.5)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from itertools import chain

from rrcli.core.recurrence.calendar import DAY_SECONDS
from rrcli.core.recurrence.components import Components
from rrcli.core.recurrence.moments import to_datetime, to_instant
from rrcli.core.recurrence.series import FIRST_INSTANT, LAST_INSTANT, Series

# What may be removed is looked through this many at a time, since many in a row may go.
_LEAST_SIFTED = 32


class InstantSet:
    """All occurrences of one recurrence text as aware UTC datetimes."""

    def __init__(self, components: Components) -> None:
        zone = components.zone
        removing = set(components.removing_rules)
        # A rule that is removed by an equal one is settled here, not by walking both for ever.
        rules = [rule for rule in components.rules if rule not in removing]
        self._zone = zone
        self._rules = [Series.of(rule, components.start.wall, zone) for rule in rules]
        self._removing = [Series.of(rule, components.start.wall, zone) for rule in components.removing_rules]
        added = {placed.instant for placed in components.added}
        if not components.rules:
            added.add(components.start.instant(zone))
        self._added = [to_datetime(instant) for instant in sorted(added)]
        self._removed = frozenset(placed.instant for placed in components.removed)
        self._removed_days = frozenset(moment.wall // DAY_SECONDS for moment in components.removed_days)
        self._removes = bool(self._removed or self._removed_days or self._removing)
        self._is_one_rule = len(self._rules) == 1 and not self._added
        starts = [series.start for series in self._rules]
        self._first = min([*starts, *added], default=LAST_INSTANT)

    def last_before(self, end: int) -> int | None:
        """The last occurrence before the instant `end`: ever longer looks back, then halving."""
        barren, width = end, 1
        while True:
            begin = max(end - width, self._first)
            found = self._first_from(begin, end)
            if found is not None:
                break
            if begin == self._first:
                return None
            barren, width = begin, width * 4
        while barren - found > 1:
            middle = (found + barren) // 2
            later = self._first_from(middle, barren)
            if later is None:
                barren = middle
            else:
                found = later
        return found

    def _first_from(self, begin: int, end: int) -> int | None:
        chunk = next(self.chunks(begin, 1, end), None) if begin < end else None
        return to_instant(chunk[0])[0] if chunk else None

    def chunks(self, begin: int, size: int, end: int = LAST_INSTANT + 1) -> Iterator[list[datetime]]:
        """Occurrences in the instants [begin, end), ascending, in lists of about `size`."""
        begin, end = max(begin, FIRST_INSTANT), min(end, LAST_INSTANT + 1)
        if self._removes:
            size = max(size, _LEAST_SIFTED)
        if self._is_one_rule:
            found = self._rules[0].chunks(begin, size, end)
        else:
            found = self._merged(begin, size, end)
        return self._sifted(found) if self._removes else found

    def _sifted(self, found: Iterator[list[datetime]]) -> Iterator[list[datetime]]:
        """The lists without what is removed."""
        pointers = [_Pointer(series) for series in self._removing]
        for chunk in found:
            kept = [
                time
                for time in chunk
                if not (self._is_removed(time) or any(pointer.holds(time) for pointer in pointers))
            ]
            if kept:
                yield kept

    def candidates(self, begin: int, size: int) -> Iterator[datetime]:
        """What rules and added dates give, before anything is removed."""
        return chain.from_iterable(self._merged(begin, size, LAST_INSTANT + 1))

    def all_removed(self, times: list[datetime]) -> bool:
        """Whether all of these ascending candidates are removed."""
        pointers = [_Pointer(series) for series in self._removing]
        return all(self._is_removed(time) or any(each.holds(time) for each in pointers) for time in times)

    def _merged(self, begin: int, size: int, end: int) -> Iterator[list[datetime]]:
        if begin >= end:
            return
        first, stop = (
            bisect_left(self._added, to_datetime(begin)),
            bisect_right(self._added, to_datetime(end - 1)),
        )
        added = self._added[first:stop]
        streams = [chain.from_iterable(series.chunks(begin, size, end)) for series in self._rules]
        chunk: list[datetime] = []
        last = None
        for time in merge(*streams, added):
            if time != last:
                chunk.append(time)
                last = time
                if len(chunk) >= size:
                    yield chunk
                    chunk = []
        if chunk:
            yield chunk

    def _is_removed(self, time: datetime) -> bool:
        instant = to_instant(time)[0]
        if instant in self._removed:
            return True
        if not self._removed_days:
            return False
        wall = instant if self._zone is None else instant + self._zone.offset(instant)
        return wall // DAY_SECONDS in self._removed_days


class _Pointer:
    """Asked for ascending times, says which of them a series holds, looking no further than needed."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._next: datetime | None = to_datetime(FIRST_INSTANT)

    def holds(self, time: datetime) -> bool:
        """Whether `time`, no earlier than the last one asked for, is an occurrence."""
        if self._next is not None and self._next < time:
            chunk = next(self._series.chunks(to_instant(time)[0], 1), None)
            self._next = chunk[0] if chunk else None
        return self._next == time
