"""How the whole is doing and what comes next: what `status`, `top` and GET /api/status show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nsmallest
from itertools import islice
from typing import Any

from rrcli.core.exclusions import allowed_from
from rrcli.core.models import EventState, Schedule, ScheduleState
from rrcli.core.timefmt import format_instant, parse_instant
from rrcli.errors import InvalidRule
from rrcli.operations.context import Context
from rrcli.operations.lateness import Lateness, lateness
from rrcli.operations.rules import recurrence_of
from rrcli.operations.status import Status, status
from rrcli.repository.base import Depths, Heartbeat

Json = dict[str, Any]

NEXT = 5
"""Occurrences that are named ahead."""

_QUEUED = 100
_FAR = timedelta(days=36_500)


@dataclass(frozen=True, kw_only=True, slots=True)
class Upcoming:
    """One occurrence that lies ahead."""

    run_time: datetime
    schedule_id: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """A status, the next occurrences of all schedules together, and how late the last calls were."""

    status: Status
    upcoming: tuple[Upcoming, ...]
    lateness: Lateness | None


def summary(context: Context) -> Summary:
    """Raises StoreUnavailable."""
    found = status(context)
    return Summary(status=found, upcoming=upcoming(context, found.now, NEXT), lateness=lateness(context))


def upcoming(context: Context, now: datetime, limit: int) -> tuple[Upcoming, ...]:
    """The next occurrences: those queued, and from each watermark on those that are not."""
    repository = context.repository
    queued = [
        each
        for each in repository.events.pending(None, limit=_QUEUED).items
        if each.run_time >= now and each.state is EventState.READY
    ]
    ahead = repository.schedules.due(now + _FAR, limit)
    names = {each.id: each.name for each in ahead}
    missing = {each.schedule_id for each in queued[:limit]} - names.keys()
    names |= {key: each.name for key, each in repository.schedules.get(missing).items()}
    found = [(each.run_time, each.schedule_id) for each in queued[:limit]]
    exclusions = context.exclusions(ahead)
    for each in ahead:
        found += [(instant, each.id) for instant in _from_watermark(each, exclusions[each.id], now, limit)]
    return tuple(
        Upcoming(run_time=instant, schedule_id=key, name=names.get(key, ""))
        for instant, key in nsmallest(limit, found)
    )


def _from_watermark(schedule: Schedule, exclusions: Any, now: datetime, limit: int) -> Sequence[datetime]:
    assert schedule.next_run is not None
    try:
        start = max(now, schedule.next_run)
        return list(islice(allowed_from(recurrence_of(schedule), exclusions, start), limit))
    except InvalidRule:
        return []


def summary_view(found: Summary) -> Json:
    """A summary as JSON."""
    now, depths, late = found.status.now, found.status.depths, found.lateness
    return {
        "time": format_instant(now),
        "store": found.status.store,
        "daemons": [_daemon_view(found.status, each) for each in found.status.heartbeats],
        "absent": list(found.status.absent),
        "queues": {
            "ready": depths.ready,
            "worker": depths.worker,
            "in_flight": depths.in_flight,
            "oldest_due": depths.oldest_due and format_instant(depths.oldest_due),
            "oldest_due_age_seconds": depths.oldest_due
            and max(0.0, round((now - depths.oldest_due).total_seconds(), 3)),
        },
        "lateness": late
        and {"calls": late.calls, "p50_ms": round(late.p50_ms, 3), "p99_ms": round(late.p99_ms, 3)},
        "schedules": {str(each): number for each, number in found.status.schedules.items()},
        "events": {str(each): number for each, number in found.status.events.items()},
        "upcoming": [
            {
                "run_time": format_instant(each.run_time),
                "schedule_id": each.schedule_id,
                "name": each.name,
            }
            for each in found.upcoming
        ],
    }


def _daemon_view(found: Status, heartbeat: Heartbeat) -> Json:
    return {
        "daemon": heartbeat.daemon,
        "instance": heartbeat.instance,
        "state": "alive" if found.alive(heartbeat) else "gone",
        "host": heartbeat.host,
        "pid": heartbeat.pid,
        "started_at": format_instant(heartbeat.started_at),
        "seen_at": format_instant(heartbeat.seen_at),
        "age_seconds": round((found.now - heartbeat.seen_at).total_seconds(), 3),
        "detail": dict(heartbeat.detail),
    }


def summary_of(view: Mapping[str, Any]) -> Summary:
    """What `summary_view` was made of."""
    queues, late = view["queues"], view["lateness"]
    return Summary(
        status=Status(
            now=_instant(view["time"]),
            store=view["store"],
            schedules={ScheduleState(each): number for each, number in view["schedules"].items()},
            events={EventState(each): number for each, number in view["events"].items()},
            depths=Depths(
                ready=queues["ready"],
                worker=queues["worker"],
                in_flight=queues["in_flight"],
                oldest_due=queues["oldest_due"] and _instant(queues["oldest_due"]),
            ),
            heartbeats=tuple(_heartbeat(each) for each in view["daemons"]),
        ),
        upcoming=tuple(
            Upcoming(run_time=_instant(each["run_time"]), schedule_id=each["schedule_id"], name=each["name"])
            for each in view["upcoming"]
        ),
        lateness=late and Lateness(**late),
    )


def _heartbeat(view: Mapping[str, Any]) -> Heartbeat:
    return Heartbeat(
        daemon=view["daemon"],
        instance=view["instance"],
        host=view["host"],
        pid=view["pid"],
        started_at=_instant(view["started_at"]),
        seen_at=_instant(view["seen_at"]),
        detail=view["detail"],
    )


def _instant(text: str) -> datetime:
    return parse_instant(text, field="time")
