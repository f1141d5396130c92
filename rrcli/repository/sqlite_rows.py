"""Records as rows of the embedded store, and back: instants are epoch milliseconds, nested parts JSON."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from rrcli.clock import from_ms, to_ms
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
)
from rrcli.core.sound import sound_event, sound_schedule, sound_timetable
from rrcli.repository.base import Standing
from rrcli.repository.remembered import misfire_of, remembering, retry_of

Row = tuple[Any, ...]

# Looking a member up costs a third of calling its class, and events are read by the thousand.
_STATES = {state.value: state for state in EventState}
_KINDS = {kind.value: kind for kind in Kind}
_OVERLAPS = {overlap.value: overlap for overlap in Overlap}
_SCHEDULE_STATES = {state.value: state for state in ScheduleState}
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def id_list(ids: Collection[str]) -> str:
    """`ids` as the JSON array that `json_each` reads."""
    return _encode(list(ids))


def after_prefix(prefix: str) -> str:
    """The upper end (excluded) of the ids that start with `prefix`."""
    return prefix + "\U0010ffff"


def optional_ms(instant: datetime | None) -> int | None:
    """Epoch milliseconds, or None."""
    return None if instant is None else to_ms(instant)


def schedule_row(schedule: Schedule) -> Row:
    """The values of the columns of `schedules`, in their order."""
    return (
        schedule.id,
        schedule.name,
        schedule.name.casefold(),
        schedule.state,
        schedule.revision,
        schedule.rule_revision,
        optional_ms(schedule.next_run),
        _encode(_schedule_document(schedule)),
    )


def _schedule_document(schedule: Schedule) -> dict[str, object]:
    return {
        "rrule": schedule.rrule,
        "timezone": schedule.timezone,
        "callback_url": schedule.callback_url,
        "method": schedule.method,
        "headers": dict(schedule.headers),
        "body": schedule.body,
        "timeout_seconds": schedule.timeout_seconds,
        "max_retries": schedule.max_retries,
        "retry": _members(schedule.retry),
        "follow_redirects": schedule.follow_redirects,
        "misfire": _members(schedule.misfire),
        "overlap": schedule.overlap,
        "jitter_seconds": schedule.jitter_seconds,
        "tags": schedule.tags,
        "secrets": schedule.secrets,
        "auto_pause_after": schedule.auto_pause_after,
        "exclude_calendars": schedule.exclude_calendars,
        "skips": [_skip_values(skip) for skip in schedule.skips],
        "state_reason": schedule.state_reason,
        "rule_since": optional_ms(schedule.rule_since),
        "state_since": optional_ms(schedule.state_since),
        "created_at": to_ms(schedule.created_at),
        "updated_at": to_ms(schedule.updated_at),
    }


def _members(record: Retry | Misfire) -> dict[str, object]:
    """The fields of a flat record: `asdict` would copy each value deeply."""
    return {name: getattr(record, name) for name in record.__slots__}


def schedule_of(row: Row) -> Schedule:
    """The schedule of a row (id, name, state, revision, rule_revision, next_run, document).

    Raises one of `readable.NONSENSE` when the row does not hold one.
    """
    return _remembered_schedule(row)


def _sound_schedule(row: Row) -> Schedule:
    return sound_schedule(_schedule_of(*row))


_remembered_schedule = remembering(_sound_schedule, lambda row: len(row[-1]))


def _schedule_of(
    id: str, name: str, state: str, revision: int, rule_revision: int, next_run: int | None, document: str
) -> Schedule:
    fields = json.loads(document)
    fields |= {
        "retry": retry_of(**fields["retry"]),
        "misfire": misfire_of(**fields["misfire"]),
        "overlap": _OVERLAPS[fields["overlap"]],
        "tags": tuple(fields["tags"]),
        "secrets": tuple(fields["secrets"]),
        "exclude_calendars": tuple(fields["exclude_calendars"]),
        "skips": tuple(_skip_of(*values) for values in fields["skips"]),
        "rule_since": _optional_instant(fields["rule_since"]),
        "state_since": _optional_instant(fields["state_since"]),
        "created_at": from_ms(fields["created_at"]),
        "updated_at": from_ms(fields["updated_at"]),
    }
    return Schedule(
        id=id,
        name=name,
        state=_SCHEDULE_STATES[state],
        revision=revision,
        rule_revision=rule_revision,
        next_run=_optional_instant(next_run),
        **fields,
    )


def timetable_of(row: Row) -> Timetable:
    """The timetable of a schedule's row. Raises as `schedule_of`."""
    id, _, _, revision, rule_revision, next_run, document = row
    fields = json.loads(document)
    timetable = Timetable(
        id=id,
        rrule=fields["rrule"],
        timezone=fields["timezone"],
        misfire=misfire_of(**fields["misfire"]),
        jitter_seconds=fields["jitter_seconds"],
        exclude_calendars=tuple(fields["exclude_calendars"]),
        skips=tuple([_skip_of(*values) for values in fields["skips"]]),
        revision=revision,
        rule_revision=rule_revision,
        next_run=_optional_instant(next_run),
    )
    return sound_timetable(timetable)


def _optional_instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)


def _skip_values(skip: Skip) -> Row:
    return (to_ms(skip.run_time), skip.reason, optional_ms(skip.moved_to))


def _skip_of(run_time: int, reason: str | None, moved_to: int | None) -> Skip:
    return Skip(run_time=from_ms(run_time), reason=reason, moved_to=_optional_instant(moved_to))


def event_row(event: Event) -> Row:
    """The values of the columns of `events`, in their order."""
    return (
        event.id,
        event.schedule_id,
        to_ms(event.run_time),
        to_ms(event.due),
        event.kind,
        event.revision,
        to_ms(event.created_at),
        event.state,
        _encode([(to_ms(step.time), step.status, step.message) for step in event.status]),
        _encode([_attempt_values(attempt) for attempt in event.attempts]) if event.attempts else None,
        event.lateness_ms,
        event.replay_of,
        event.webhook_id,
        None if event.span is None else _encode(_span_values(event.span)),
    )


def archived_row(event: Event, archived_at_ms: int) -> Row:
    """The values of the columns of `archived_events`, in their order."""
    return (*event_row(event), archived_at_ms, 1 if event.span is None else event.span.count)


def _attempt_values(attempt: Attempt) -> Row:
    return (to_ms(attempt.time), attempt.duration_ms, attempt.status_code, attempt.error, attempt.response)


def _span_values(span: Span) -> Row:
    return (to_ms(span.first), to_ms(span.last), span.count)


def event_of(row: Row) -> Event:
    """The event of a row with the columns of the SELECTs in sqlite_events.sql, in their order.

    Raises one of `readable.NONSENSE` when the row does not hold one.
    """
    return sound_event(_event_of(*row))


def standing_of(row: Row) -> Standing:
    """What the reconciler must know of an event, of a row (id, due, state). Raises as `event_of`."""
    id, due, state = row
    return Standing(event_id=id, due=from_ms(due), state=_STATES[state])


def row_id(row: Row) -> object:
    """What names a row in a log line."""
    return row[0]


def row_run_time(row: Row) -> datetime:
    """The run time of an event's row."""
    return from_ms(row[2])


def _event_of(
    id: str,
    schedule_id: str,
    run_time: int,
    due: int,
    kind: str,
    revision: int,
    created_at: int,
    status: str,
    attempts: str | None,
    lateness_ms: float | None,
    replay_of: str | None,
    webhook_id: str | None,
    span: str | None,
) -> Event:
    return Event(
        id=id,
        schedule_id=schedule_id,
        run_time=from_ms(run_time),
        due=from_ms(due),
        kind=_KINDS[kind],
        revision=revision,
        status=tuple(
            [
                Status(time=from_ms(time), status=_STATES[state], message=message)
                for time, state, message in json.loads(status)
            ]
        ),
        attempts=_attempts_of(attempts) if attempts else (),
        lateness_ms=lateness_ms,
        replay_of=replay_of,
        webhook_id=webhook_id,
        span=_span_of(span) if span else None,
        created_at=from_ms(created_at),
    )


def _attempts_of(text: str) -> tuple[Attempt, ...]:
    return tuple(
        Attempt(
            time=from_ms(time),
            duration_ms=duration_ms,
            status_code=status_code,
            error=error,
            response=response,
        )
        for time, duration_ms, status_code, error, response in json.loads(text)
    )


def _span_of(text: str) -> Span:
    first, last, count = json.loads(text)
    return Span(first=from_ms(first), last=from_ms(last), count=count)
