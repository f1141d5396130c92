"""Records as MongoDB documents and back. What is None or empty is left out of a document."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

import bson
from bson import ObjectId
from bson.raw_bson import RawBSONDocument

from rrcli.core.ids import is_id
from rrcli.core.models import (
    Attempt,
    Event,
    EventState,
    Kind,
    Misfire,
    Overlap,
    Retry,
    Schedule,
    ScheduleState,
    Skip,
    Span,
    Status,
    Timetable,
    whole_ms,
)
from rrcli.core.sound import sound_event, sound_schedule, sound_timetable
from rrcli.repository import readable as readables
from rrcli.repository.base import Heartbeat, Standing
from rrcli.repository.mongo_redis_connection import CODEC, Document
from rrcli.repository.remembered import misfire_of, remembering, retry_of

D = TypeVar("D", bound=Mapping[str, Any])
R = TypeVar("R")

_SCHEDULE_FIELDS: tuple[str, ...] = Schedule.__slots__
_STATES = {state.value: state for state in EventState}
_KINDS = {kind.value: kind for kind in Kind}
_OVERLAPS = {overlap.value: overlap for overlap in Overlap}
_SCHEDULE_STATES = {state.value: state for state in ScheduleState}


def object_ids(ids: Collection[str]) -> list[ObjectId]:
    """The ids as stored; what has not the form of an id exists nowhere and is left out."""
    return [ObjectId(bytes.fromhex(text)) for text in ids if is_id(text)]


def stored_time(instant: datetime) -> datetime:
    """Rounded to milliseconds; the driver alone would cut them off, and the queues round."""
    return whole_ms(instant) if instant.microsecond % 1000 else instant


def readable(decode: Callable[[D], R], documents: Iterable[D]) -> list[R]:
    """The decoded documents. One that another program wrote and that makes no sense is logged, not raised."""
    return readables.readable(decode, documents, document_id)


def document_id(document: Mapping[str, Any]) -> object:
    """What names a document in a log line."""
    return document.get("_id")


def document_run_time(document: Mapping[str, Any]) -> datetime:
    """The run time of an event's document."""
    return utc(document["run_time"])


def event_document(event: Event) -> Document:
    """An event as stored, `state` beside its history so that it can be asked for."""
    document: Document = {
        "_id": ObjectId(event.id),
        "schedule_id": ObjectId(event.schedule_id),
        "run_time": stored_time(event.run_time),
        "due": stored_time(event.due),
        "kind": event.kind.value,
        "revision": event.revision,
        "state": event.state.value,
        "status": [
            {"time": stored_time(step.time), "status": step.status.value, "message": step.message}
            for step in event.status
        ],
        "created_at": stored_time(event.created_at),
    }
    if event.attempts:
        document["attempts"] = [_attempt_document(attempt) for attempt in event.attempts]
    if event.lateness_ms is not None:
        document["lateness_ms"] = event.lateness_ms
    if event.replay_of is not None:
        document["replay_of"] = ObjectId(event.replay_of)
    if event.webhook_id is not None:
        document["webhook_id"] = ObjectId(event.webhook_id)
    if event.span is not None:
        document["span"] = {
            "first": stored_time(event.span.first),
            "last": stored_time(event.span.last),
            "count": event.span.count,
        }
    return document


def archived_document(event: Event, now: datetime) -> Document:
    """A finished event as stored, with when it was archived."""
    document = event_document(event)
    document["archived_at"] = stored_time(now)
    return document


def event_record(document: Mapping[str, Any]) -> Event:
    """The event of a document. Raises KeyError, ValueError, TypeError or the like on a foreign one."""
    replay_of, webhook_id = document.get("replay_of"), document.get("webhook_id")
    span = document.get("span")
    event = Event(
        id=_id(document["_id"]),
        schedule_id=_id(document["schedule_id"]),
        run_time=utc(document["run_time"]),
        due=utc(document["due"]),
        kind=_KINDS[document["kind"]],
        revision=document["revision"],
        status=tuple(
            [
                Status(time=utc(step["time"]), status=_STATES[step["status"]], message=step["message"])
                for step in document["status"]
            ]
        ),
        attempts=tuple([_attempt(attempt) for attempt in document.get("attempts", ())]),
        lateness_ms=document.get("lateness_ms"),
        replay_of=None if replay_of is None else _id(replay_of),
        webhook_id=None if webhook_id is None else _id(webhook_id),
        span=None if span is None else _span(span),
        created_at=utc(document["created_at"]),
    )
    return sound_event(event)


def standing_record(document: Mapping[str, Any]) -> Standing:
    """What the reconciler must know of the event in a document. Raises as `event_record`."""
    return Standing(event_id=_id(document["_id"]), due=utc(document["due"]), state=_STATES[document["state"]])


def schedule_document(schedule: Schedule) -> Document:
    """A schedule as stored. `next_run` is always there: its absence is looked for by index."""
    values = {name: getattr(schedule, name) for name in _SCHEDULE_FIELDS}
    document: Document = {name: value for name, value in values.items() if value is not None}
    document["_id"] = ObjectId(document.pop("id"))
    document["state"] = schedule.state.value
    document["overlap"] = schedule.overlap.value
    document["retry"] = _members(schedule.retry)
    document["misfire"] = _members(schedule.misfire) | {"policy": schedule.misfire.policy.value}
    document["headers"] = dict(schedule.headers)
    document["skips"] = [_skip_document(skip) for skip in schedule.skips]
    for name in ("created_at", "updated_at", "rule_since", "state_since"):
        if name in document:
            document[name] = stored_time(document[name])
    document["next_run"] = schedule.next_run and stored_time(schedule.next_run)
    return document


def _members(record: Retry | Misfire) -> Document:
    """The fields of a flat record: `asdict` would copy each value deeply."""
    return {name: getattr(record, name) for name in record.__slots__}


def schedule_record(document: Mapping[str, Any]) -> Schedule:
    """The schedule of a document. Raises KeyError, ValueError, TypeError or the like on a foreign one."""
    schedule = Schedule(
        id=_id(document["_id"]),
        name=document["name"],
        rrule=document["rrule"],
        timezone=document.get("timezone"),
        callback_url=document["callback_url"],
        method=document.get("method"),
        headers=document["headers"],
        body=document.get("body"),
        timeout_seconds=document["timeout_seconds"],
        max_retries=document.get("max_retries"),
        retry=retry_of(**document["retry"]),
        follow_redirects=document["follow_redirects"],
        misfire=misfire_of(**document["misfire"]),
        overlap=_OVERLAPS[document["overlap"]],
        jitter_seconds=document["jitter_seconds"],
        tags=tuple(document["tags"]),
        secrets=tuple(document["secrets"]),
        auto_pause_after=document["auto_pause_after"],
        exclude_calendars=tuple(document["exclude_calendars"]),
        skips=tuple([_skip(skip) for skip in document["skips"]]),
        state=_SCHEDULE_STATES[document["state"]],
        state_reason=document.get("state_reason"),
        revision=document["revision"],
        rule_revision=document["rule_revision"],
        rule_since=_optional_utc(document.get("rule_since")),
        state_since=_optional_utc(document.get("state_since")),
        next_run=_optional_utc(document["next_run"]),
        created_at=utc(document["created_at"]),
        updated_at=utc(document["updated_at"]),
    )
    return sound_schedule(schedule)


TIMETABLE = {name: 1 for name in Timetable.__struct_fields__ if name != "id"}
"""What of a schedule's document `timetable_record` reads."""


def timetable_record(document: Mapping[str, Any]) -> Timetable:
    """The timetable of a schedule's document. Raises as `schedule_record`."""
    timetable = Timetable(
        id=_id(document["_id"]),
        rrule=document["rrule"],
        timezone=document.get("timezone"),
        misfire=misfire_of(**document["misfire"]),
        jitter_seconds=document["jitter_seconds"],
        exclude_calendars=tuple(document["exclude_calendars"]),
        skips=tuple([_skip(skip) for skip in document["skips"]]),
        revision=document["revision"],
        rule_revision=document["rule_revision"],
        next_run=_optional_utc(document["next_run"]),
    )
    return sound_timetable(timetable)


def schedule_of_raw(document: RawBSONDocument) -> Schedule:
    """As `schedule_record`, of a document as it came: the same bytes are decoded once."""
    return _schedule_of_bytes(bytes(document.raw))


def _decoded_schedule(raw: bytes) -> Schedule:
    return schedule_record(bson.decode(raw, CODEC))


_schedule_of_bytes = remembering(_decoded_schedule, len)


def heartbeat_document(heartbeat: Heartbeat) -> Document:
    """A sign of life as stored, one document an instance."""
    return {
        "_id": heartbeat.instance,
        "daemon": heartbeat.daemon,
        "host": heartbeat.host,
        "pid": heartbeat.pid,
        "started_at": stored_time(heartbeat.started_at),
        "seen_at": stored_time(heartbeat.seen_at),
        "detail": dict(heartbeat.detail),
    }


def heartbeat_record(document: Mapping[str, Any]) -> Heartbeat:
    """The sign of life of a document."""
    return Heartbeat(
        daemon=document["daemon"],
        instance=document["_id"],
        host=document["host"],
        pid=document["pid"],
        started_at=utc(document["started_at"]),
        seen_at=utc(document["seen_at"]),
        detail=document["detail"],
    )


def _attempt_document(attempt: Attempt) -> Document:
    document: Document = {"time": stored_time(attempt.time), "duration_ms": attempt.duration_ms}
    if attempt.status_code is not None:
        document["status_code"] = attempt.status_code
    if attempt.error is not None:
        document["error"] = attempt.error
    if attempt.response is not None:
        document["response"] = attempt.response
    return document


def _attempt(document: Mapping[str, Any]) -> Attempt:
    return Attempt(
        time=utc(document["time"]),
        duration_ms=document["duration_ms"],
        status_code=document.get("status_code"),
        error=document.get("error"),
        response=document.get("response"),
    )


def _span(document: Mapping[str, Any]) -> Span:
    return Span(first=utc(document["first"]), last=utc(document["last"]), count=document["count"])


def utc(stored: datetime) -> datetime:
    """An instant as the driver gives it, aware. `replace` would take five times as long."""
    return datetime.combine(stored, stored.time(), UTC)


def _skip_document(skip: Skip) -> Document:
    return {name: value for name, value in asdict(skip).items() if value is not None}


def _skip(document: Mapping[str, Any]) -> Skip:
    return Skip(
        run_time=utc(document["run_time"]),
        reason=document.get("reason"),
        moved_to=_optional_utc(document.get("moved_to")),
    )


def _optional_utc(stored: datetime | None) -> datetime | None:
    return None if stored is None else utc(stored)


def _id(stored: object) -> str:
    if not isinstance(stored, ObjectId):
        raise TypeError(f"an id must be an ObjectId, not {type(stored).__name__}")
    return str(stored)
