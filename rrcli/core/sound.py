"""Whether a record read from the store can be worked with: another program may have written it."""

from collections.abc import Mapping
from operator import attrgetter

from rrcli.core.models import Event, Schedule, Timetable

_NUMBER = (int, float)
_Types = type | tuple[type, ...]
_TIMETABLE: Mapping[str, _Types] = {
    "rrule": str,
    "timezone": (str, type(None)),
    "jitter_seconds": _NUMBER,
    "revision": int,
    "rule_revision": int,
    "misfire.grace_seconds": _NUMBER,
    "misfire.window_seconds": _NUMBER,
}
_SCHEDULE: Mapping[str, _Types] = {
    **_TIMETABLE,
    "name": str,
    "callback_url": str,
    "method": (str, type(None)),
    "headers": Mapping,
    "body": (str, type(None)),
    "timeout_seconds": _NUMBER,
    "max_retries": (int, type(None)),
    "retry.base_seconds": _NUMBER,
    "retry.factor": _NUMBER,
    "retry.cap_seconds": _NUMBER,
}
_of_timetable = attrgetter(*_TIMETABLE)
_of_schedule = attrgetter(*_SCHEDULE)
_sound: set[tuple[type, ...]] = set()
"""The types that the fields of a sound record had: nearly all schedules have the same few."""


def sound_schedule(schedule: Schedule) -> Schedule:
    """The schedule itself. Raises TypeError naming the field that has a wrong type."""
    _require_all(_of_schedule(schedule), _SCHEDULE)
    for name, value in schedule.headers.items():
        _require(name, str, "headers")
        _require(value, str, f"headers.{name}")
    for name in ("tags", "secrets"):
        for each in getattr(schedule, name):
            _require(each, str, name)
    return schedule


def sound_timetable(timetable: Timetable) -> Timetable:
    """The timetable itself. Raises TypeError naming the field that has a wrong type."""
    _require_all(_of_timetable(timetable), _TIMETABLE)
    return timetable


def _require_all(values: tuple[object, ...], fields: Mapping[str, _Types]) -> None:
    shape = tuple(map(type, values))
    if shape in _sound:
        return
    for (name, types), value in zip(fields.items(), values, strict=True):
        _require(value, types, name.rpartition(".")[2])
    _sound.add(shape)


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
