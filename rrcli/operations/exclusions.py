"""Which occurrences of stored schedules do not fire: their skips, and the calendars that they exclude."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from threading import Lock
from zoneinfo import ZoneInfo

from rrcli.core.calendars import Calendar
from rrcli.core.exclusions import NOTHING, Exclusions
from rrcli.core.models import Timed
from rrcli.errors import InvalidRule
from rrcli.operations.rules import recurrence_of
from rrcli.repository.base import Repository


class CalendarCache:
    """Calendars as last read. A look costs one small query, for versions; contents are read when changed."""

    def __init__(self) -> None:
        self._known: Mapping[str, Calendar] = {}
        self._lock = Lock()

    def get(self, repository: Repository, names: Iterable[str]) -> dict[str, Calendar]:
        """Those that exist, by name; no query where no name is asked for."""
        wanted = set(names)
        if not wanted:
            return {}
        versions = repository.calendars.versions(wanted)
        known = self._known
        stale = {
            name for name, version in versions.items() if name not in known or known[name].version != version
        }
        fresh = repository.calendars.get(stale) if stale else {}
        if fresh:
            with self._lock:
                self._known = {**self._known, **fresh}
        found = {**known, **fresh}
        return {name: found[name] for name in versions if name in found}


def of_all(repository: Repository, cache: CalendarCache, schedules: Iterable[Timed]) -> dict[str, Exclusions]:
    """What does not fire, by schedule id. A calendar that is gone excludes nothing."""
    given = list(schedules)
    calendars = cache.get(repository, {name for each in given for name in each.exclude_calendars})
    return {each.id: _exclusions(each, calendars) for each in given}


def _exclusions(schedule: Timed, calendars: Mapping[str, Calendar]) -> Exclusions:
    if not schedule.skips and not schedule.exclude_calendars:
        return NOTHING
    excluded = [calendars[name] for name in schedule.exclude_calendars if name in calendars]
    return Exclusions(schedule.skips, excluded, _zone(schedule))


def _zone(schedule: Timed) -> tzinfo:
    """The zone of the rule, whose days are meant."""
    try:
        return ZoneInfo(recurrence_of(schedule).timezone)
    except InvalidRule:  # it has no occurrence either
        return UTC


def reasons(exclusions: Exclusions, instants: Sequence[datetime]) -> list[str | None]:
    """Why each of the instants does not fire; None for those that do."""
    found = (exclusions.at(instant) for instant in instants)
    return [excluded.reason if excluded else None for excluded in found]
