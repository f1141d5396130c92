"""Whether a record read from the store can be worked with: another program may have written it."""

from collections.abc import Mapping
from operator import attrgetter

from rrcli.core.models import Event, Schedule

_NUMBER = (int, float)
_SCHEDULE: Mapping[str, type | tuple[type, ...]] = {
    "name": str,
    "rrule": str,
    "timezone": (str, type(None)),
    "callback_url": str,
    "method": (str, type(None)),
    "headers": Mapping,
    "body": (str, type(None)),
    "timeout_seconds": _NUMBER,
    "max_retries": (int, type(None)),
    "jitter_seconds": _NUMBER,
    "revision": int,
    "rule_revision": int,
    "retry.base_seconds": _NUMBER,
    "retry.factor": _NUMBER,
    "retry.cap_seconds": _NUMBER,
    "misfire.grace_seconds": _NUMBER,
    "misfire.window_seconds": _NUMBER,
}
_values = attrgetter(*_SCHEDULE)
_sound: set[tuple[type, ...]] = set()
"""The types that the fields of a sound schedule had: nearly all schedules have the same few."""


def sound_schedule(schedule: Schedule) -> Schedule:
    """The schedule itself. Raises TypeError naming the field that has a wrong type."""
    values = _values(schedule)
    shape = tuple(map(type, values))
    if shape not in _sound:
        for (name, types), value in zip(_SCHEDULE.items(), values, strict=True):
            _require(value, types, name.rpartition(".")[2])
        _sound.add(shape)
    for name, value in schedule.headers.items():
        _require(name, str, "headers")
        _require(value, str, f"headers.{name}")
    for name in ("tags", "secrets"):
        for each in getattr(schedule, name):
            _require(each, str, name)
    return schedule


def sound_event(event: Event) -> Event:
    """The event itself. Raises TypeError or ValueError naming what is wrong.

    Only what the daemons compute with: events are read by the thousand.
    """
    if type(event.revision) is not int:
        _require(event.revision, int, "revision")
    if not event.status:
        raise ValueError("status is empty")
    return event


def _require(value: object, types: type | tuple[type, ...], name: str) -> None:
    if not isinstance(value, types):
        raise TypeError(f"{name} is of type {type(value).__name__}")
