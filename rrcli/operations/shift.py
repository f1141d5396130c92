"""What a change of a schedule does to its occurrences: which appear, vanish or move."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby
from zoneinfo import ZoneInfo

from rrcli.core.models import Schedule, ScheduleState
from rrcli.errors import InvalidRule
from rrcli.operations.context import Context
from rrcli.operations.rules import recurrence_of

AHEAD = timedelta(days=30)
MOST = 2000
"""Occurrences of a schedule that are compared; a denser one is compared up to there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """Occurrences that come, go, or take place at another time of the same day; up to `until`."""

    appear: tuple[datetime, ...] = ()
    vanish: tuple[datetime, ...] = ()
    move: tuple[tuple[datetime, datetime], ...] = ()
    until: datetime

    def __bool__(self) -> bool:
        return bool(self.appear or self.vanish or self.move)


def shift(context: Context, old: Schedule | None, new: Schedule | None, now: datetime) -> Shift:
    """The difference in what fires from `now` on for AHEAD."""
    before, first_end = _firing(context, old, now)
    after, second_end = _firing(context, new, now)
    end = min(first_end, second_end)
    gone = sorted(each for each in before - after if each < end)
    come = sorted(each for each in after - before if each < end)
    zone = _zone(new or old)
    moved = _pairs(gone, come, zone)
    origins, goals = {origin for origin, _ in moved}, {goal for _, goal in moved}
    return Shift(
        appear=tuple(each for each in come if each not in goals),
        vanish=tuple(each for each in gone if each not in origins),
        move=tuple(moved),
        until=end,
    )


def _firing(context: Context, schedule: Schedule | None, now: datetime) -> tuple[set[datetime], datetime]:
    """The occurrences that fire, and up to when they are known."""
    end = now + AHEAD
    if schedule is None or schedule.state is not ScheduleState.ACTIVE:
        return set(), end
    try:
        found = recurrence_of(schedule).between(now, end, MOST + 1)
    except InvalidRule:
        return set(), end
    if len(found) > MOST:
        end = found.pop()
    exclusions = context.exclusions([schedule])[schedule.id]
    return {each for each in found if not exclusions.at(each)}, end


def _pairs(gone: list[datetime], come: list[datetime], zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """Those of a day that lost as many as it won, in their order."""
    lost, won = _by_day(gone, zone), _by_day(come, zone)
    return [
        pair
        for day, origins in lost.items()
        if len(goals := won.get(day, [])) == len(origins)
        for pair in zip(origins, goals, strict=True)
    ]


def _by_day(instants: Iterable[datetime], zone: tzinfo) -> dict[date, list[datetime]]:
    return {
        day: list(found) for day, found in groupby(instants, key=lambda each: each.astimezone(zone).date())
    }


def _zone(schedule: Schedule | None) -> tzinfo:
    try:
        return ZoneInfo(recurrence_of(schedule).timezone) if schedule else UTC
    except InvalidRule:
        return UTC
