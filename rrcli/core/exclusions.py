"""Occurrences that do not fire although the rule has them: taken out by hand, or on a holiday.

The recurrence engine knows nothing of this; it says what the rule says.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from rrcli.core.calendars import Calendar
from rrcli.core.models import Skip
from rrcli.core.recurrence import Recurrence
from rrcli.core.timefmt import format_instant

_SHORTEST = timedelta(milliseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Excluded:
    """Why an occurrence does not fire, and all that is excluded with it: from `first` to before `end`."""

    reason: str
    first: datetime
    end: datetime


class Exclusions:
    """What keeps one schedule's occurrences from firing. Days are those of `zone`, the schedule's own."""

    def __init__(
        self, skips: Iterable[Skip] = (), calendars: Iterable[Calendar] = (), zone: tzinfo = UTC
    ) -> None:
        self._skips = {skip.run_time: skip for skip in skips}
        self._calendars = tuple(calendars)
        self._zone = zone

    def __bool__(self) -> bool:
        return bool(self._skips or self._calendars)

    def at(self, run_time: datetime) -> Excluded | None:
        """What excludes that occurrence; a person's word comes before a calendar's."""
        if skip := self._skips.get(run_time):
            return Excluded(reason=_by_hand(skip), first=run_time, end=run_time + _SHORTEST)
        return self._holiday(run_time) if self._calendars else None

    def _holiday(self, run_time: datetime) -> Excluded | None:
        day = _local_day(run_time, self._zone)
        for calendar in self._calendars:
            if day and (holiday := calendar.on(day)):
                first = datetime.combine(day, time(), self._zone).astimezone(UTC)
                end = datetime.combine(day + _DAY, time(), self._zone).astimezone(UTC)
                return Excluded(reason=_on_holiday(holiday.title, calendar), first=first, end=end)
            if closure := calendar.during(run_time):
                reason = _on_holiday(closure.title, calendar)
                return Excluded(reason=reason, first=closure.start, end=closure.end)
        return None


NOTHING = Exclusions()
"""Of a schedule that has neither skips nor calendars."""


def allowed_from(
    recurrence: Recurrence, exclusions: Exclusions, start: datetime, *, inclusive: bool = True
) -> Iterator[datetime]:
    """The occurrences from `start` on that are not excluded, ascending; endless where the rule is."""
    found = recurrence.after(start, inclusive=inclusive)
    while found is not None:
        excluded = exclusions.at(found)
        if excluded is None:
            yield found
            found = recurrence.after(found)
        else:
            found = recurrence.after(max(excluded.end, found + _SHORTEST), inclusive=True)


def latest_allowed(
    recurrence: Recurrence, exclusions: Exclusions, now: datetime, *, floor: datetime
) -> datetime | None:
    """The newest occurrence at or before `now` that is not excluded; none before `floor` is looked for."""
    found = recurrence.before(now, inclusive=True)
    while found is not None and found >= floor:
        excluded = exclusions.at(found)
        if excluded is None:
            return found
        found = recurrence.before(min(excluded.first, found))
    return None


def _local_day(run_time: datetime, zone: tzinfo) -> date | None:
    try:
        return run_time.astimezone(zone).date()
    except OverflowError:  # at the ends of what a calendar can say
        return None


def _by_hand(skip: Skip) -> str:
    what = f"Moved by hand to {format_instant(skip.moved_to)}" if skip.moved_to else "Skipped by hand"
    return f"{what}: {skip.reason}" if skip.reason else what


def _on_holiday(title: str, calendar: Calendar) -> str:
    return f"Holiday: {title}, calendar {calendar.name}"
