"""A schedule's rule: accepted from outside, kept parsed, changed without losing its anchor."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from rrcli.core.models import Schedule
from rrcli.core.recurrence import Recurrence
from rrcli.errors import FieldError, InvalidInput, InvalidRule

_DTSTART = re.compile(r"DTSTART(?:;TZID=(?P<zone>[^:\n]+))?:(?P<local>\d{8}T\d{6})(?P<utc>Z?)", re.IGNORECASE)


@lru_cache(maxsize=10_000)
def parse(rrule: str, timezone: str | None) -> Recurrence:
    """The recurrence of a stored rule. Raises InvalidRule."""
    return Recurrence.parse(rrule, timezone=timezone)


def recurrence_of(schedule: Schedule) -> Recurrence:
    """The schedule's rule, parsed. Raises InvalidRule."""
    return parse(schedule.rrule, schedule.timezone)


def accept(rrule: Any, timezone: Any, *, anchor: datetime) -> Recurrence:
    """A rule from outside; one without DTSTART starts at `anchor`.

    Raises InvalidInput for a wrong one, and for one that never occurs.
    """
    try:
        recurrence = Recurrence.parse(rrule, timezone=timezone, anchor=anchor)
    except InvalidRule as error:
        raise _refused(rrule, timezone, error) from error
    if next(recurrence.occurrences(limit=1), None) is None:
        problem = FieldError(field="rrule", value=rrule, allowed="never occurs")
        raise InvalidInput([problem], hint="Look at it with: rrcli preview --explain --rrule ...")
    return recurrence


def changed(old: Schedule, values: Mapping[str, Any]) -> Recurrence:
    """The rule after a change of rule text, time zone, or both. Raises InvalidInput.

    A rule without DTSTART keeps the schedule's anchor, so that sending the same rule again changes nothing.
    A new time zone alone keeps the wall-clock time: 08:30 in New York becomes 08:30 in Berlin.
    """
    timezone = values.get("timezone", old.timezone)
    if "rrule" in values:
        return accept(values["rrule"], timezone, anchor=_anchor(old))
    floating = _DTSTART.sub(lambda found: f"DTSTART:{found['local']}", old.rrule, count=1)
    return accept(floating, timezone, anchor=_anchor(old))


def _anchor(schedule: Schedule) -> datetime:
    """The instant of the stored DTSTART, which every stored rule begins with."""
    found = _DTSTART.match(schedule.rrule)
    assert found is not None
    local = datetime.strptime(found["local"], "%Y%m%dT%H%M%S").replace(
        tzinfo=ZoneInfo(found["zone"]) if found["zone"] else UTC
    )
    return local.astimezone(UTC)


def _refused(rrule: object, timezone: object, error: InvalidRule) -> InvalidInput:
    beside = error.part.lower() in ("timezone", "tzid") and error.position is None
    field, value = ("timezone", timezone) if beside else ("rrule", rrule)
    return InvalidInput([FieldError(field=field, value=value, allowed=error.message)], hint=error.hint)
