"""The JSON of the REST service as the records that it was made from.

What the service masks stays masked, and what it does not show has its default: these records are for
looking at and for changing by way of the service, never for storing.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rrcli.core.calendars import Calendar, Closure, Holiday
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
    Skip,
    Span,
    Status,
)
from rrcli.core.timefmt import parse_instant

Json = Mapping[str, Any]


def instant(text: str) -> datetime:
    """Raises InvalidInput."""
    return parse_instant(text, field="time")


def maybe(text: str | None) -> datetime | None:
    """As `instant`, of what may be null."""
    return None if text is None else instant(text)


def schedule(view: Json) -> Schedule:
    """What `schedule_view` was made of."""
    misfire = view["misfire"]
    return Schedule(
        id=view["id"],
        name=view["name"],
        rrule=view["rrule"],
        timezone=view["timezone"],
        callback_url=view["callback_url"],
        method=view["method"],
        headers=view["headers"],
        body=view["body"],
        timeout_seconds=view["timeout_seconds"],
        max_retries=view["max_retries"],
        retry=Retry(**view["retry"]),
        follow_redirects=view["follow_redirects"],
        misfire=Misfire(
            policy=MisfirePolicy(misfire["policy"]),
            grace_seconds=misfire["grace_seconds"],
            window_seconds=misfire["window_seconds"],
        ),
        overlap=Overlap(view["overlap"]),
        jitter_seconds=view["jitter_seconds"],
        tags=tuple(view["tags"]),
        secrets=tuple(view["secrets"]),
        auto_pause_after=view["auto_pause_after"],
        exclude_calendars=tuple(view["exclude_calendars"]),
        skips=tuple(
            Skip(
                run_time=instant(each["run_time"]),
                reason=each["reason"],
                moved_to=maybe(each["moved_to"]),
            )
            for each in view["skips"]
        ),
        state=ScheduleState(view["state"]),
        state_reason=view["state_reason"],
        revision=view["revision"],
        next_run=maybe(view["next_run"]),
        created_at=instant(view["created_at"]),
        updated_at=instant(view["updated_at"]),
    )


def event(view: Json) -> Event:
    """What `event_view` was made of."""
    span = view.get("span")
    return Event(
        id=view["_id"],
        schedule_id=view["schedule_id"],
        run_time=instant(view["run_time"]),
        due=instant(view["due"]),
        kind=Kind(view["kind"]),
        revision=view["revision"],
        status=tuple(
            Status(time=instant(each["time"]), status=EventState(each["status"]), message=each["message"])
            for each in view["status"]
        ),
        attempts=tuple(_attempt(each) for each in view["attempts"]),
        lateness_ms=view["lateness_ms"],
        replay_of=view["replay_of"],
        webhook_id=view["webhook_id"],
        span=Span(first=instant(span["first"]), last=instant(span["last"]), count=span["count"])
        if span
        else None,
        created_at=instant(view["created_at"]),
    )


def _attempt(view: Json) -> Attempt:
    return Attempt(
        time=instant(view["time"]),
        duration_ms=view["duration_ms"],
        status_code=view["status_code"],
        error=view["error"],
        response=view["response"],
    )


def calendar(view: Json) -> Calendar:
    """What `calendar_view`, or `calendar_summary`, was made of."""
    return Calendar(
        name=view["name"],
        version=view["updated_at"],
        holidays=tuple(
            Holiday(day=date.fromisoformat(each["day"]), title=each["title"])
            for each in view.get("holidays", ())
        ),
        closures=tuple(
            Closure(start=instant(each["start"]), end=instant(each["end"]), title=each["title"])
            for each in view.get("closures", ())
        ),
        updated_at=instant(view["updated_at"]),
    )
