"""The occurrences of one rule as instants: its steps, laid on a zone, between DTSTART and its end."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime

from rrcli.core.recurrence.calendar import DAY_SECONDS, FIRST_YEAR, LAST_YEAR, january_first, year_of
from rrcli.core.recurrence.calendar_steps import CalendarSteps
from rrcli.core.recurrence.elapsed_steps import ElapsedSteps
from rrcli.core.recurrence.moments import to_datetime
from rrcli.core.recurrence.rule import Rule
from rrcli.core.recurrence.runs import ListedRun, Run
from rrcli.core.recurrence.zones import RULES_ONLY_FROM, Change, Zone

# DTSTART may be the first of January 1900 in a zone up to a day ahead of UTC.
FIRST_INSTANT = january_first(FIRST_YEAR) * DAY_SECONDS - DAY_SECONDS
LAST_INSTANT = january_first(LAST_YEAR + 1) * DAY_SECONDS - 1
# From here on zones keep to a few offsets, so that "never again" can be told without walking on.
_LASTING_FROM = january_first(RULES_ONLY_FROM) * DAY_SECONDS
# Times around a gap are sorted this many seconds of wall time at a time.
_SORTED_SECONDS = 900


class Series:
    """The occurrences of one rule. Immutable but for what it remembers of its own results."""

    def __init__(self, rule: Rule, start_wall: int, zone: Zone | None) -> None:
        self._zone = zone
        self._start_wall = start_wall
        self.start = start_wall if zone is None else zone.instant(start_wall)
        self._steps: CalendarSteps | ElapsedSteps
        if rule.is_elapsed:
            self._steps = ElapsedSteps(rule, start_wall, start_wall - self.start)
        else:
            self._steps = CalendarSteps(rule, start_wall)
        self._until = min(_until(rule, zone), LAST_INSTANT)
        self._count = rule.count
        self._counted_end: int | None = None

    def chunks(self, begin: int, size: int, end: int = LAST_INSTANT + 1) -> Iterator[list[datetime]]:
        """Occurrences in the instants [begin, end), ascending, in lists of at most `size`."""
        begin, stop = max(begin, self.start), min(end - 1, self._until)
        if begin > stop:
            return
        last = to_datetime(stop)
        for run in self._runs(begin, stop):
            for first in range(0, len(run), size):
                chunk = run.take(first, min(first + size, len(run)))
                kept = chunk if chunk[-1] <= last else chunk[: bisect_right(chunk, last)]
                if self._count is not None and kept and not self._surely_counted(kept[-1]):
                    kept = kept[: bisect_right(kept, to_datetime(self._end_by_count()))]
                if kept:
                    yield kept
                if len(kept) < len(chunk):
                    return

    def _surely_counted(self, time: datetime) -> bool:
        """Whether so little time has passed since DTSTART that COUNT cannot have run out."""
        assert self._count is not None
        passed = int((time - to_datetime(self.start)).total_seconds())
        return self._steps.most(self.start, self.start + passed) <= self._count

    def _end_by_count(self) -> int:
        """The instant of the last occurrence that COUNT lets through, worked out once."""
        if self._counted_end is None:
            self._counted_end = self._count_out()
        return self._counted_end

    def _count_out(self) -> int:
        assert self._count is not None
        left = self._count
        for run in self._runs(self.start, self._until):
            if left <= len(run):
                last = run.take(left - 1, left)[0]
                return int((last - to_datetime(0)).total_seconds())
            left -= len(run)
        return LAST_INSTANT

    def _runs(self, begin: int, stop: int) -> Iterator[Run]:
        """Runs that hold the occurrences in the instants [begin, stop], ascending, none twice."""
        if isinstance(self._steps, ElapsedSteps):
            return self._elapsed_runs(self._steps, begin, stop)
        if self._zone is None:
            return self._plain_runs(self._steps, begin, stop)
        return self._wall_runs(self._steps, self._zone, begin, stop)

    def _elapsed_runs(self, steps: ElapsedSteps, begin: int, stop: int) -> Iterator[Run]:
        looked_ahead = False
        while begin <= stop:
            if begin >= _LASTING_FROM and not looked_ahead:
                looked_ahead = True
                lasting = (0,) if self._zone is None else self._zone.lasting_offsets()
                if all(steps.never(offset) for offset in lasting):
                    return
            offset, end = (0, _utc_piece_end(begin)) if self._zone is None else self._zone.stay(begin)
            end = min(end, stop + 1)
            yield from steps.runs(begin, end, offset)
            begin = end

    def _plain_runs(self, steps: CalendarSteps, begin: int, stop: int) -> Iterator[Run]:
        begin = max(begin, self._start_wall)
        for year in steps.years(year_of(begin // DAY_SECONDS), year_of(stop // DAY_SECONDS)):
            first, last = january_first(year) * DAY_SECONDS, january_first(year + 1) * DAY_SECONDS
            yield from _run(steps, max(begin, first), last, 0)

    def _wall_runs(self, steps: CalendarSteps, zone: Zone, begin: int, stop: int) -> Iterator[Run]:
        cursor = max(zone.first_wall(begin), self._start_wall)
        last_year = year_of(stop // DAY_SECONDS + 2)
        for year in steps.years(year_of(cursor // DAY_SECONDS), last_year):
            cursor = max(cursor, january_first(year) * DAY_SECONDS)
            offset = zone.wall_offset(cursor)
            for change in zone.changes(year):
                if change.wall <= cursor:
                    continue
                if change.gap > 0 and steps.meets(max(cursor, change.touched), change.wall):
                    yield from _run(steps, cursor, change.touched, offset)
                    yield from self._across_gap(steps, max(cursor, change.touched), change, begin)
                    cursor = change.wall + change.gap
                else:
                    yield from _run(steps, cursor, change.wall, offset)
                    cursor = change.wall
                offset = change.after
            yield from _run(steps, cursor, january_first(year + 1) * DAY_SECONDS, offset)

    def _across_gap(self, steps: CalendarSteps, cursor: int, change: Change, begin: int) -> Iterator[Run]:
        """The times that a gap removes, moved behind it, in order with those that stand there."""
        begin = max(begin, self.start)
        for low in range(change.instant, change.instant + change.gap, _SORTED_SECONDS):
            high = min(low + _SORTED_SECONDS, change.instant + change.gap)
            removed = steps.walls(max(low + change.before, cursor), high + change.before)
            standing = steps.walls(low + change.after, high + change.after)
            times = {wall - change.before for wall in removed} | {wall - change.after for wall in standing}
            found = sorted(time for time in times if time >= begin)
            if found:
                yield ListedRun([to_datetime(time) for time in found])


def _utc_piece_end(begin: int) -> int:
    return _LASTING_FROM if begin < _LASTING_FROM else LAST_INSTANT + 1


def _run(steps: CalendarSteps, begin: int, end: int, offset: int) -> Iterator[Run]:
    end = min(end, LAST_INSTANT + 1 + offset)
    if begin < end:
        run = steps.run(begin, end, offset)
        if len(run):
            yield run


def _until(rule: Rule, zone: Zone | None) -> int:
    """The last instant that UNTIL allows; a bare date allows its whole local day."""
    moment = rule.until
    if moment is None:
        return LAST_INSTANT
    if not moment.is_date:
        return moment.instant(zone)
    end_of_day = moment.wall + DAY_SECONDS - 1
    # Elapsed steps may also meet the second pass of a repeated stretch before midnight.
    return end_of_day if zone is None else zone.instant(end_of_day, fold=int(rule.is_elapsed))
