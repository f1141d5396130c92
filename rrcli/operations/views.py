"""Records as the JSON that REST and `-o json` show."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rrcli.core.calendars import Calendar
from rrcli.core.exclusions import NOTHING, Exclusions, allowed_from
from rrcli.core.inputs import MASK
from rrcli.core.models import Attempt, Event, Schedule, ScheduleState
from rrcli.core.sealed import cannot_be_opened, is_sealed, sealed_fields
from rrcli.core.timefmt import format_instant
from rrcli.errors import InvalidRule, StoreCorrupt
from rrcli.log import redact
from rrcli.operations.rules import recurrence_of

Json = dict[str, Any]

_REMEMBERED = 10_000


def schedule_view(
    schedule: Schedule, now: datetime, *, exclusions: Exclusions | None = None, reveal: bool = False
) -> Json:
    """A schedule; header values, secrets and credentials in the URL are masked unless `reveal`.

    `next_run` is the next occurrence from `now` on that fires; the stored watermark runs ahead of it by the
    window. `exclusions` is what `Context.exclusions` knows of the schedule; without it only skips count.
    """
    if reveal and (sealed := sealed_fields(schedule)):
        raise StoreCorrupt(f"{cannot_be_opened(schedule, sealed)}.")
    return {
        "id": schedule.id,
        "name": schedule.name,
        "rrule": schedule.rrule,
        "timezone": schedule.timezone,
        "callback_url": schedule.callback_url if reveal else _shown(redact(schedule.callback_url)),
        "method": schedule.effective_method,
        "headers": dict(schedule.headers) if reveal else masked(schedule.headers),
        "body": schedule.body if schedule.body is None else _shown(schedule.body),
        "timeout_seconds": schedule.timeout_seconds,
        "max_retries": schedule.max_retries,
        "retry": {
            "base_seconds": schedule.retry.base_seconds,
            "factor": schedule.retry.factor,
            "cap_seconds": schedule.retry.cap_seconds,
        },
        "follow_redirects": schedule.follow_redirects,
        "misfire": {
            "policy": schedule.misfire.policy,
            "grace_seconds": schedule.misfire.grace_seconds,
            "window_seconds": schedule.misfire.window_seconds,
        },
        "overlap": schedule.overlap,
        "jitter_seconds": schedule.jitter_seconds,
        "tags": list(schedule.tags),
        "secrets": list(schedule.secrets) if reveal else [MASK] * len(schedule.secrets),
        "auto_pause_after": schedule.auto_pause_after,
        "exclude_calendars": list(schedule.exclude_calendars),
        "skips": [
            {
                "run_time": format_instant(skip.run_time),
                "reason": skip.reason,
                "moved_to": _instant(skip.moved_to),
            }
            for skip in schedule.skips
        ],
        "state": schedule.state,
        "state_reason": schedule.state_reason,
        "revision": schedule.revision,
        "next_run": _instant(next_occurrence(schedule, now, exclusions)),
        "created_at": format_instant(schedule.created_at),
        "updated_at": format_instant(schedule.updated_at),
    }


def _shown(text: str) -> str:
    """The value, or the mask for one that no key opens."""
    return MASK if is_sealed(text) else text


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """Header names with their values hidden."""
    return dict.fromkeys(headers, MASK)


def next_occurrence(
    schedule: Schedule, now: datetime, exclusions: Exclusions | None = None
) -> datetime | None:
    """The next occurrence of an active schedule that fires; `exclusions` as in `schedule_view`.

    None for a schedule that is not active, and for a rule that cannot be read.
    """
    if schedule.state is not ScheduleState.ACTIVE:
        return None
    exclusions = Exclusions(schedule.skips) if exclusions is None else exclusions
    try:
        if exclusions is NOTHING:
            return _upcoming(schedule, now)
        return next(allowed_from(recurrence_of(schedule), exclusions, now), None)
    except InvalidRule:
        return None


_known: dict[tuple[str, str | None], tuple[datetime, datetime]] = {}


def _upcoming(schedule: Schedule, now: datetime) -> datetime | None:
    """The rule's next occurrence: one that was found counts until it has passed. Raises InvalidRule."""
    key = (schedule.rrule, schedule.timezone)
    asked, found = _known.get(key, (now, now))
    if asked <= now <= found and asked < found:
        return found
    upcoming = recurrence_of(schedule).after(now, inclusive=True)
    if upcoming is not None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[key] = (now, upcoming)
    return upcoming


def calendar_summary(calendar: Calendar) -> Json:
    """A calendar without its contents."""
    return {
        "name": calendar.name,
        "holiday_count": len(calendar.holidays),
        "closure_count": len(calendar.closures),
        "updated_at": format_instant(calendar.updated_at),
    }


def calendar_view(calendar: Calendar) -> Json:
    """A calendar: whole days on whatever clock a schedule is, and spans of time."""
    return calendar_summary(calendar) | {
        "holidays": [{"day": each.day.isoformat(), "title": each.title} for each in calendar.holidays],
        "closures": [
            {"start": format_instant(each.start), "end": format_instant(each.end), "title": each.title}
            for each in calendar.closures
        ],
    }


def event_view(event: Event) -> Json:
    """An event in the original's shape, and what this product adds to it."""
    view: Json = {
        "_id": event.id,
        "schedule_id": event.schedule_id,
        "run_time": format_instant(event.run_time),
        "status": [
            {"time": format_instant(step.time), "status": step.status, "message": step.message}
            for step in event.status
        ],
        "created_at": format_instant(event.created_at),
        "state": event.state,
        "kind": event.kind,
        "revision": event.revision,
        "due": format_instant(event.due),
        "attempts": [_attempt_view(attempt) for attempt in event.attempts],
        "lateness_ms": event.lateness_ms,
        "replay_of": event.replay_of,
        "webhook_id": event.message_id,
    }
    if event.span:
        view["span"] = {
            "first": format_instant(event.span.first),
            "last": format_instant(event.span.last),
            "count": event.span.count,
        }
    return view


def _attempt_view(attempt: Attempt) -> Json:
    return {
        "time": format_instant(attempt.time),
        "duration_ms": attempt.duration_ms,
        "status_code": attempt.status_code,
        "error": attempt.error,
        "response": attempt.response,
    }


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
