"""Holiday calendars: importing, looking at, deleting; and what follows for the schedules that use them."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from rrcli.core.calendars import Calendar
from rrcli.core.inputs import CALENDAR_NAME
from rrcli.core.models import Schedule
from rrcli.errors import Conflict, FieldError, InvalidInput, NotFound
from rrcli.operations.context import Context
from rrcli.operations.rewrite import replanned, rewrite

_AT_ONCE = 500


def put(context: Context, name: str, text: str, *, overwrite: bool = True) -> tuple[Calendar, bool]:
    """Store the calendar that an iCalendar text holds; with it, whether there was none of that name.

    The schedules that exclude it are planned anew and get a new revision: queued occurrences that it takes
    out are recorded as skipped, those that it no longer takes out are queued. Raises InvalidInput, and
    Conflict when there is one already that may not be overwritten.
    """
    from rrcli.operations.calendar_file import read

    _require_name(name)
    now = context.now()
    holidays, closures = read(text, now)
    known = context.repository.calendars.versions([name])
    if known and not overwrite:
        raise Conflict(f"There already is a calendar {name}.", hint="Put this one in its place: --replace")
    calendar = Calendar(
        name=name, version=secrets.token_hex(8), holidays=holidays, closures=closures, updated_at=now
    )
    context.repository.calendars.put(calendar)
    for schedule in _using(context, name):
        _rewrite(context, schedule, replanned)
    return calendar, not known


def find(context: Context) -> list[Calendar]:
    """All calendars, by name."""
    return context.repository.calendars.list()


def get(context: Context, name: str) -> Calendar:
    """Raises NotFound."""
    found = context.repository.calendars.get([name]).get(name)
    if found is None:
        raise NotFound(f"There is no calendar {name}.", hint="List them: rrcli calendar list")
    return found


def delete(context: Context, name: str, *, force: bool = False) -> None:
    """Raises NotFound, and Conflict when schedules exclude it; `force` takes it out of them first."""
    get(context, name)
    for schedule in _using(context, name):
        if not force:
            raise Conflict(
                f"Calendar {name} is in use by schedule {schedule.id} ({schedule.name}).",
                hint="Take it out of all schedules that use it: --force, or ?force=true in REST.",
            )
        _rewrite(context, schedule, lambda old, now: replanned(_without(old, name), now))
    if not context.repository.calendars.remove(name):
        raise NotFound(f"There is no calendar {name}.")


def _without(schedule: Schedule, name: str) -> Schedule:
    return replace(
        schedule, exclude_calendars=tuple(each for each in schedule.exclude_calendars if each != name)
    )


def _rewrite(context: Context, schedule: Schedule, change: Callable[[Schedule, datetime], Schedule]) -> None:
    try:
        rewrite(context, schedule.id, change, None)
    except NotFound:
        return  # deleted meanwhile


def _using(context: Context, name: str) -> Iterator[Schedule]:
    after_id = ""
    while found := context.repository.schedules.using_calendar(name, after_id=after_id, limit=_AT_ONCE):
        yield from found
        after_id = found[-1].id


def _require_name(name: str) -> None:
    errors: list[FieldError] = []
    CALENDAR_NAME(name, "name", errors)
    if errors:
        raise InvalidInput(errors)
