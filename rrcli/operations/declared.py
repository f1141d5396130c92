"""What a file says of a schedule, and what the store has: two forms of the same fields."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rrcli.clock import from_ms
from rrcli.core.inputs import MASK, REQUIRED
from rrcli.core.models import Schedule, ScheduleState
from rrcli.core.sealed import cannot_be_opened, sealed_fields
from rrcli.errors import StoreCorrupt
from rrcli.log import redact
from rrcli.operations.manifest import escaped
from rrcli.operations.schedules import new_schedule
from rrcli.settings import Settings

Fields = dict[str, Any]

NESTED = ("retry", "misfire")
_ANY = {"name": "any", "rrule": "FREQ=DAILY", "callback_url": "http://localhost/"}


def fields_of(schedule: Schedule) -> Fields:
    """All fields that a person may set, with their values as a file or a request has them."""
    return {
        "name": schedule.name,
        "rrule": schedule.rrule,
        "timezone": schedule.timezone,
        "callback_url": schedule.callback_url,
        "method": schedule.method,
        "headers": dict(schedule.headers),
        "body": schedule.body,
        "timeout_seconds": schedule.timeout_seconds,
        "max_retries": schedule.max_retries,
        "retry": {
            "base_seconds": schedule.retry.base_seconds,
            "factor": schedule.retry.factor,
            "cap_seconds": schedule.retry.cap_seconds,
        },
        "follow_redirects": schedule.follow_redirects,
        "misfire": {
            "policy": str(schedule.misfire.policy),
            "grace_seconds": schedule.misfire.grace_seconds,
            "window_seconds": schedule.misfire.window_seconds,
        },
        "overlap": str(schedule.overlap),
        "jitter_seconds": schedule.jitter_seconds,
        "tags": list(schedule.tags),
        "secrets": list(schedule.secrets),
        "auto_pause_after": schedule.auto_pause_after,
        "exclude_calendars": list(schedule.exclude_calendars),
    }


def defaults(settings: Settings) -> Fields:
    """What holds where a file says nothing."""
    made = fields_of(new_schedule(settings, _ANY, from_ms(0), schedule_id=""))
    return {name: value for name, value in made.items() if name not in REQUIRED}


def whole(given: Mapping[str, Any], settings: Settings) -> Fields:
    """The given fields, and the defaults of all others."""
    found = defaults(settings)
    for name, value in given.items():
        found[name] = {**found[name], **value} if name in NESTED else value
    found["headers"] = found["headers"] or {}
    return found


def changed_names(stored: Schedule, wanted: Schedule) -> set[str]:
    """The fields in which two schedules differ; a method that is not set is the one that is used."""
    old, new = fields_of(stored), fields_of(wanted)
    old["method"], new["method"] = stored.effective_method, wanted.effective_method
    return {name for name in old if old[name] != new[name]}


def differing(stored: Schedule, wanted: Schedule, given: Mapping[str, Any]) -> Fields:
    """The given fields to send: a rule with its zone, whose clock it may be on, a body with the method."""
    names = changed_names(stored, wanted)
    for pair in ({"rrule", "timezone"}, {"body", "method"}):
        names |= pair if names & pair else set()
    return {name: value for name, value in given.items() if name in names}


def exported(schedule: Schedule, settings: Settings, *, reveal: bool = False) -> Fields:
    """A schedule as a file declares it: what differs from the defaults.

    Header values, secrets and credentials in the URL are masked unless `reveal`; applied to the schedule that
    they came from, masks keep what it has. Raises StoreCorrupt where a value to be revealed cannot be opened.
    """
    if reveal and (sealed := sealed_fields(schedule)):
        raise StoreCorrupt(f"{cannot_be_opened(schedule, sealed)}.")
    usual = defaults(settings)
    # A service elsewhere tells the method that is used, set or not.
    usual["method"] = replace(schedule, method=None).effective_method
    found = {name: value for name, value in fields_of(schedule).items() if value != usual.get(name)}
    if schedule.method is None:
        del found["method"]
    for name in NESTED:
        if name in found:
            found[name] = {key: value for key, value in found[name].items() if value != usual[name][key]}
    url = schedule.callback_url if reveal else redact(schedule.callback_url)
    found["callback_url"] = escaped(url)
    if "headers" in found:
        found["headers"] = {
            name: escaped(value) if reveal else MASK for name, value in schedule.headers.items()
        }
    if "secrets" in found and not reveal:
        found["secrets"] = [MASK] * len(schedule.secrets)
    return found | ({"paused": True} if schedule.state is ScheduleState.PAUSED else {})
