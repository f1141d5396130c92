"""Records as MongoDB documents and back. What is None or empty is left out of a document."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

from bson import ObjectId

from rrcli.core.ids import is_id
from rrcli.core.models import (
    Attempt,
    Event,
    EventState,
    Kind,
    Misfire,
    MisfirePolicy,
    Overlap,
    Retry,
    Schedule,
    ScheduleState,
    Span,
    Status,
    whole_ms,
)
from rrcli.repository.base import Heartbeat
from rrcli.repository.mongo_redis_connection import Document

log = logging.getLogger(__name__)

R = TypeVar("R")

_STATES = {state.value: state for state in EventState}
_KINDS = {kind.value: kind for kind in Kind}


def object_ids(ids: Collection[str]) -> list[ObjectId]:
    """The ids as stored; what has not the form of an id exists nowhere and is left out."""
    return [ObjectId(text) for text in ids if is_id(text)]


def stored_time(instant: datetime) -> datetime:
    """Rounded to milliseconds; the driver alone would cut them off, and the queues round."""
    return whole_ms(instant) if instant.microsecond % 1000 else instant


def readable(decode: Callable[[Mapping[str, Any]], R], documents: Iterable[Mapping[str, Any]]) -> list[R]:
    """The decoded documents. One that another program wrote and that makes no sense is logged, not raised."""
    records = []
    for document in documents:
        try:
            records.append(decode(document))
        except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            log.error(
                "A stored document cannot be read and is left alone: %s: %s",
                type(error).__name__,
                error,
                extra={"action": "document_unreadable", "document_id": str(document.get("_id"))},
            )
    return records


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
    if event.span is not None:
        document["span"] = {
            "first": stored_time(event.span.first),
            "last": stored_time(event.span.last),
            "count": event.span.count,
        }
    return document


def archived_document(event: Event, now: datetime) -> Document:
    """A finished event as stored, with when it was archived."""
    return event_document(event) | {"archived_at": stored_time(now)}


def event_record(document: Mapping[str, Any]) -> Event:
    """The event of a document. Raises KeyError, ValueError, TypeError or the like on a foreign one."""
    replay_of = document.get("replay_of")
    span = document.get("span")
    return Event(
        id=_id(document["_id"]),
        schedule_id=_id(document["schedule_id"]),
        run_time=_utc(document["run_time"]),
        due=_utc(document["due"]),
        kind=_KINDS[document["kind"]],
        revision=document["revision"],
        status=tuple(
            [
                Status(time=_utc(step["time"]), status=_STATES[step["status"]], message=step["message"])
                for step in document["status"]
            ]
        ),
        attempts=tuple([_attempt(attempt) for attempt in document.get("attempts", ())]),
        lateness_ms=document.get("lateness_ms"),
        replay_of=None if replay_of is None else _id(replay_of),
        span=None if span is None else _span(span),
        created_at=_utc(document["created_at"]),
    )


def schedule_document(schedule: Schedule) -> Document:
    """A schedule as stored. `next_run` is always there: its absence is looked for by index."""
    document = asdict(schedule)
    document["_id"] = ObjectId(document.pop("id"))
    document["state"] = schedule.state.value
    document["overlap"] = schedule.overlap.value
    document["misfire"]["policy"] = schedule.misfire.policy.value
    document["headers"] = dict(schedule.headers)
    for name in ("tags", "secrets"):
        document[name] = list(document[name])
    for name in ("created_at", "updated_at"):
        document[name] = stored_time(document[name])
    next_run = document.pop("next_run")
    document = {name: value for name, value in document.items() if value is not None}
    document["next_run"] = next_run and stored_time(next_run)
    return document


def schedule_record(document: Mapping[str, Any]) -> Schedule:
    """The schedule of a document. Raises KeyError, ValueError, TypeError or the like on a foreign one."""
    misfire, next_run = document["misfire"], document["next_run"]
    return Schedule(
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
        retry=Retry(**document["retry"]),
        follow_redirects=document["follow_redirects"],
        misfire=Misfire(**{**misfire, "policy": MisfirePolicy(misfire["policy"])}),
        overlap=Overlap(document["overlap"]),
        jitter_seconds=document["jitter_seconds"],
        tags=tuple(document["tags"]),
        secrets=tuple(document["secrets"]),
        state=ScheduleState(document["state"]),
        state_reason=document.get("state_reason"),
        revision=document["revision"],
        rule_revision=document["rule_revision"],
        next_run=None if next_run is None else _utc(next_run),
        created_at=_utc(document["created_at"]),
        updated_at=_utc(document["updated_at"]),
    )


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
        started_at=_utc(document["started_at"]),
        seen_at=_utc(document["seen_at"]),
        detail=document["detail"],
    )


def _attempt_document(attempt: Attempt) -> Document:
    return {name: value for name, value in asdict(attempt).items() if value is not None} | {
        "time": stored_time(attempt.time)
    }


def _attempt(document: Mapping[str, Any]) -> Attempt:
    return Attempt(
        time=_utc(document["time"]),
        duration_ms=document["duration_ms"],
        status_code=document.get("status_code"),
        error=document.get("error"),
        response=document.get("response"),
    )


def _span(document: Mapping[str, Any]) -> Span:
    return Span(first=_utc(document["first"]), last=_utc(document["last"]), count=document["count"])


def _utc(stored: datetime) -> datetime:
    return stored.replace(tzinfo=UTC)


def _id(stored: object) -> str:
    if not isinstance(stored, ObjectId):
        raise TypeError(f"an id must be an ObjectId, not {type(stored).__name__}")
    return str(stored)
