"""The occurrences of one rule as instants: its steps, laid on a zone, between DTSTART and its end."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from rrcli.core.recurrence.calendar import DAY_SECONDS, FIRST_YEAR, LAST_YEAR, date_of, january_first, year_of
from rrcli.core.recurrence.calendar_steps import CalendarSteps, PatternKey
from rrcli.core.recurrence.elapsed_steps import ElapsedSteps
from rrcli.core.recurrence.moments import to_datetime, to_instant
from rrcli.core.recurrence.rule import Rule
from rrcli.core.recurrence.runs import ListedRun, Pattern, PatternRun, Run
from rrcli.core.recurrence.zones import RULES_ONLY_FROM, Change, YearOffsets, Zone

# DTSTART may be the first of January 1900 in a zone up to a day ahead of UTC.
FIRST_INSTANT = january_first(FIRST_YEAR) * DAY_SECONDS - DAY_SECONDS
LAST_INSTANT = january_first(LAST_YEAR + 1) * DAY_SECONDS - 1
# A COUNT up to this is counted out at once; longer ones only where they may have run out.
_SOON_COUNTED = 64
# What is kept is dropped when it grows beyond this (about 1 MB each).
_KEPT_YEARS = 2_000
_KEPT_TIMES = 24_000
# From here on zones keep to a few offsets, so that "never again" can be told without walking on.
_LASTING_FROM = january_first(RULES_ONLY_FROM) * DAY_SECONDS
# Times around a gap are sorted this many seconds of wall time at a time.
_SORTED_SECONDS = 900


class _LaidYear(NamedTuple):
    """A year's pattern on a zone.

    `opening` is the offset with which the year begins. A cut says how many times come before
    what a change touches, and before its end; they differ when a gap removes some of the times.
    The year is plain when its times in UTC are those of the pattern, shifted piece by piece.
    """

    opening: int
    cuts: tuple[tuple[int, int, Change], ...]
    size: int
    is_plain: bool

    def pieces(self) -> Iterator[tuple[int, int, timedelta]]:
        """The shift of each piece [low, high) of the pattern."""
        low, offset = 0, self.opening
        for _, changed, change in self.cuts:
            yield low, changed, timedelta(0, -offset)
            low, offset = changed, change.after
        yield low, self.size, timedelta(0, -offset)


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
        self._last = to_datetime(self._until)
        self._count = rule.count
        self._counted_end: int | None = None
        self._laid_years: dict[tuple[PatternKey, int], _LaidYear] = {}
        self._years_in_utc: dict[tuple[PatternKey, int], Pattern] = {}
        self._times_in_utc = 0

    @classmethod
    def of(cls, rule: Rule, start_wall: int, zone: Zone | None) -> "Series":
        """The occurrences of a rule as it is written, DTSTART filling in what it leaves open."""
        start = date_of(start_wall // DAY_SECONDS)
        return cls(rule.completed(start.month, start.day, start.weekday()), start_wall, zone)

    def meets_wall(self, begin: int, end: int) -> bool:
        """Whether a rule of wall times has one in the wall seconds [begin, end) after DTSTART."""
        begin = max(begin, self._start_wall)
        return isinstance(self._steps, CalendarSteps) and self._steps.meets(begin, end)

    def chunks(self, begin: int, size: int, end: int = LAST_INSTANT + 1) -> Iterator[list[datetime]]:
        """Occurrences in the instants [begin, end), ascending, in lists of about `size`."""
        begin, stop = max(begin, self.start), min(end - 1, self._until)
        if self._count is not None and (self._count <= _SOON_COUNTED or not self._surely_counted(begin)):
            stop = min(stop, self._end_by_count())
        if begin > stop:
            return
        last = self._last if stop == self._until else to_datetime(stop)
        pending: list[datetime] = []
        for run in self._runs(begin, stop):
            for first in range(0, len(run), size):
                pending += run.take(first, min(first + size, len(run)))
                if len(pending) >= size:
                    kept = self._kept(pending, last)
                    if kept:
                        yield kept
                    if len(kept) < len(pending):
                        return
                    pending = []
        if kept := self._kept(pending, last):
            yield kept

    def _kept(self, times: list[datetime], last: datetime) -> list[datetime]:
        """The times up to `last` and within COUNT."""
        if times and times[-1] > last:
            times = times[: bisect_right(times, last)]
        if self._count is not None and times and not self._surely_counted(to_instant(times[-1])[0]):
            times = times[: bisect_right(times, to_datetime(self._end_by_count()))]
        return times

    def _surely_counted(self, instant: int) -> bool:
        """Whether so little time has passed since DTSTART that COUNT cannot have run out."""
        assert self._count is not None
        return self._steps.most(self.start, instant) <= self._count

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
                return to_instant(last)[0]
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
        while (begin := steps.next_period(begin)) <= stop:
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
        for year, _, pattern in steps.years(year_of(begin // DAY_SECONDS), year_of(stop // DAY_SECONDS)):
            first = january_first(year) * DAY_SECONDS
            low = pattern.rank(timedelta(0, begin - first)) if begin > first else 0
            if low < pattern.size:
                yield PatternRun(pattern, _january(year), low, pattern.size)

    def _wall_runs(self, steps: CalendarSteps, zone: Zone, begin: int, stop: int) -> Iterator[Run]:
        cursor = max(zone.first_wall(begin), self._start_wall)
        last_year = year_of(stop // DAY_SECONDS + 2)
        begun = True  # whether the cursor may stand beyond the first second of the year
        for year, key, pattern in steps.years(year_of(cursor // DAY_SECONDS), last_year):
            january = _january(year)
            laid = self._laid_year(zone, year, key, pattern)
            if not begun and laid.is_plain:
                in_utc = self._year_in_utc(laid, year, key, pattern)
                yield PatternRun(in_utc, january, 0, in_utc.size)
                continue
            first = january_first(year) * DAY_SECONDS
            low = pattern.rank(timedelta(0, cursor - first)) if cursor > first else 0
            offset = laid.opening
            for touched, changed, change in laid.cuts:
                if touched < changed and cursor < first + change.wall and low < changed:
                    if low < touched:
                        yield _shifted(pattern, january, offset, low, touched)
                    across = Change(change.wall + first, change.before, change.after)
                    yield from self._across_gap(steps, max(cursor, across.touched), across, begin)
                    cursor = across.wall + across.gap
                    low = pattern.rank(timedelta(0, cursor - first))
                else:
                    if low < changed:
                        yield _shifted(pattern, january, offset, low, changed)
                        low = changed
                    if change.gap > 0 and cursor < first + change.wall:
                        # Nothing was removed, so what stands behind the gap goes on from `begin`.
                        low = max(low, pattern.rank(timedelta(0, begin + change.after - first)))
                offset = change.after
            high = pattern.size if year < LAST_YEAR else _readable(pattern, first, offset)
            if low < high:
                yield _shifted(pattern, january, offset, low, high)
            begun = cursor > january_first(year + 1) * DAY_SECONDS

    def _laid_year(self, zone: Zone, year: int, pattern_key: PatternKey, pattern: Pattern) -> _LaidYear:
        """A year's pattern laid on the zone; kept, since late years repeat each other."""
        key = pattern_key, _like(year)
        laid = self._laid_years.get(key)
        if laid is None:
            laid = _lay(pattern, zone.year_offsets(year), whole=year < LAST_YEAR)
            if len(self._laid_years) > _KEPT_YEARS:
                self._laid_years.clear()
            self._laid_years[key] = laid
        return laid

    def _year_in_utc(self, laid: _LaidYear, year: int, pattern_key: PatternKey, pattern: Pattern) -> Pattern:
        """A year's pattern in UTC; kept only by walks over whole years, not by queries for one time."""
        key = pattern_key, _like(year)
        in_utc = self._years_in_utc.get(key)
        if in_utc is None:
            in_utc = pattern.moved(laid.pieces())
            self._times_in_utc += in_utc.size
            if self._times_in_utc > _KEPT_TIMES:
                self._years_in_utc.clear()
                self._times_in_utc = in_utc.size
            self._years_in_utc[key] = in_utc
        return in_utc

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


@lru_cache(maxsize=1024)
def _january(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def _shifted(pattern: Pattern, january: datetime, offset: int, low: int, high: int) -> PatternRun:
    return PatternRun(pattern, january - timedelta(0, offset), low, high)


def _like(year: int) -> int:
    """Late years of one shape have the same offsets; the last one is cut short by the year 10000."""
    return min(year, RULES_ONLY_FROM) if year < LAST_YEAR else LAST_YEAR


def _lay(pattern: Pattern, offsets: YearOffsets, whole: bool) -> _LaidYear:
    cuts = []
    for change in offsets.changes:
        touched, changed = (pattern.rank(timedelta(0, wall)) for wall in (change.touched, change.wall))
        cuts.append((touched, changed, change))
    removed = any(touched < changed for touched, changed, _ in cuts)
    is_plain = whole and not removed and pattern.is_flat
    return _LaidYear(offsets.opening, tuple(cuts), pattern.size, is_plain)


def _readable(pattern: Pattern, first: int, offset: int) -> int:
    """How much of the last year's pattern lies before the year 10000 in UTC."""
    return pattern.rank(timedelta(0, LAST_INSTANT + 1 + offset - first))


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
