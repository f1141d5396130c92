"""Time zones as integer offsets: where wall time and UTC part, read off `zoneinfo`.

*Wall seconds* are seconds since 1970-01-01T00:00 of the local clock, *instants* seconds
since 1970-01-01T00:00Z.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rrcli.core.recurrence.calendar import DAY_SECONDS, january_first, shape_of, year_of

WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # the wall clock has no zone of its own
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

UTC_NAMES = frozenset(
    ("UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "Z")
)

# The tz database lists single transitions up to 2087 (Morocco, Gaza). From here on a zone
# follows its closing POSIX rule, which depends on nothing but the shape of the year.
RULES_ONLY_FROM = 2200
# The last second at which a local time can be read without leaving the year 9999.
_LAST_READABLE = january_first(10_000) * DAY_SECONDS - 2 * DAY_SECONDS
# The shortest stay between two changes of offset since 1900 is just under seven days.
_PROBE_DAYS = 5


class Change(NamedTuple):
    """The moment at which a zone changes its offset from UTC (seconds, east positive).

    `wall` is the first wall second that is read with the new offset when ambiguous times
    are taken as their first occurrence and removed times with the offset before the gap
    (RFC 5545 3.3.5): the end of the gap or of the repeated stretch.
    """

    wall: int
    before: int
    after: int

    @property
    def gap(self) -> int:
        """Seconds of wall time that do not exist; negative for a repeated stretch."""
        return self.after - self.before

    @property
    def instant(self) -> int:
        """The instant of the change."""
        return self.wall - max(self.before, self.after)

    @property
    def touched(self) -> int:
        """The first wall second that the change affects: the start of the gap, or `wall`."""
        return self.wall - max(self.gap, 0)


class YearOffsets(NamedTuple):
    """The offset with which a year of wall time begins, and its changes in seconds from 1 January."""

    opening: int
    changes: tuple[Change, ...]


class Zone:
    """One IANA zone. Build it through `zone_named`, which keeps one object per name."""

    __slots__ = ("_zone", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._zone = ZoneInfo(name)

    def wall_offset(self, wall: int, fold: int = 0) -> int:
        """The offset at a wall second; `fold=1` reads a repeated one as its second occurrence."""
        local = WALL_EPOCH + timedelta(0, min(wall, _LAST_READABLE))
        return _seconds(self._zone.utcoffset(local.replace(fold=1) if fold else local))

    def offset(self, instant: int) -> int:
        """The offset at an instant."""
        there = (EPOCH + timedelta(0, min(instant, _LAST_READABLE))).astimezone(self._zone)
        return _seconds(there.utcoffset())

    def instant(self, wall: int, fold: int = 0) -> int:
        """The instant of a wall second, read as RFC 5545 3.3.5 says."""
        return wall - self.wall_offset(wall, fold)

    def year_offsets(self, year: int) -> "YearOffsets":
        """The offsets of a year of wall time, its changes counted from 1 January."""
        if year >= RULES_ONLY_FROM:
            year = _year_like(shape_of(year).key)
        return _probed_offsets(self.name, year)

    def changes(self, year: int) -> tuple[Change, ...]:
        """The changes that first touch wall time in `year`, ascending."""
        return _changes(self, year)

    def lasting_offsets(self) -> frozenset[int]:
        """The offsets that the zone uses from the year 2200 on."""
        years = range(RULES_ONLY_FROM, RULES_ONLY_FROM + 28)
        return frozenset((self.offset(january_first(RULES_ONLY_FROM) * DAY_SECONDS),)).union(
            change.after for year in years for change in self.changes(year)
        )

    def stay(self, instant: int) -> tuple[int, int]:
        """The offset at `instant`, and the instant until which it surely holds (at most a year on)."""
        year = year_of(instant // DAY_SECONDS)
        for change in _changes_around(self, year):
            if change.instant > instant:
                return change.before, change.instant
        return self.offset(instant), january_first(year + 1) * DAY_SECONDS

    def first_wall(self, instant: int) -> int:
        """The earliest wall second that may denote `instant` or a later one."""
        wall = instant + self.offset(instant)
        year = year_of(wall // DAY_SECONDS)
        for change in _changes_around(self, year):
            if change.gap > 0 and change.wall <= wall < change.wall + change.gap:
                return change.touched
            if change.gap < 0 and change.instant <= instant and wall < change.wall:
                return change.wall
        return wall


@lru_cache(maxsize=1024)
def zone_named(name: str) -> Zone | None:
    """The zone of that IANA name; None for UTC. Raises what `ZoneInfo` raises for unknown names."""
    return None if name in UTC_NAMES else Zone(name)


def _seconds(offset: timedelta | None) -> int:
    assert offset is not None
    return offset.days * DAY_SECONDS + offset.seconds


@lru_cache(maxsize=28)
def _year_like(shape_key: int) -> int:
    return next(
        year for year in range(RULES_ONLY_FROM, RULES_ONLY_FROM + 400) if shape_of(year).key == shape_key
    )


@lru_cache(maxsize=4096)
def _changes(zone: Zone, year: int) -> tuple[Change, ...]:
    first = january_first(year) * DAY_SECONDS
    return tuple(
        Change(change.wall + first, change.before, change.after) for change in zone.year_offsets(year).changes
    )


@lru_cache(maxsize=4096)
def _changes_around(zone: Zone, year: int) -> tuple[Change, ...]:
    """The changes of a year, of the one before and of the one after."""
    return tuple(change for near in (year - 1, year, year + 1) for change in _changes(zone, near))


@lru_cache(maxsize=4096)
def _probed_offsets(name: str, year: int) -> YearOffsets:
    """Look at the offset every few days, and halve the intervals in which it changed."""
    zone = zone_named(name)
    assert zone is not None
    first, last = january_first(year), january_first(year + 1)
    probes = [day * DAY_SECONDS for day in range(first - _PROBE_DAYS, last + 2 * _PROBE_DAYS, _PROBE_DAYS)]
    found = []
    for (low, before), (high, after) in pairwise([(wall, zone.wall_offset(wall)) for wall in probes]):
        if before != after:
            found.append(Change(_first_with_new_offset(zone, low, high, before), before, after))
    begin, end = first * DAY_SECONDS, last * DAY_SECONDS
    changes = tuple(
        change._replace(wall=change.wall - begin) for change in found if begin <= change.touched < end
    )
    return YearOffsets(zone.wall_offset(begin), changes)


def _first_with_new_offset(zone: Zone, low: int, high: int, before: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        if zone.wall_offset(middle) == before:
            low = middle
        else:
            high = middle
    return high
