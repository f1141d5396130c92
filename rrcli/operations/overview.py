"""What one wants to see first: schedules with their last runs, the queues, how late calls are now."""

from dataclasses import dataclass
from datetime import datetime

from rrcli.core.models import Schedule, ScheduleState
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.operations.status import Status, status
from rrcli.operations.views import next_occurrence
from rrcli.repository.base import Run

RUNS_SHOWN = 24
_LATENESS_OF = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One schedule, when it runs next, and its last runs, the oldest first."""

    schedule: Schedule
    next_run: datetime | None
    runs: tuple[Run, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lateness:
    """How late the last calls began, in ms, and how many of them were looked at."""

    calls: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """One page of schedules; `total` is how many there are under the same filters."""

    now: datetime
    lines: tuple[Line, ...]
    total: int
    status: Status
    lateness: Lateness | None


def overview(
    context: Context,
    *,
    state: ScheduleState | None = None,
    name: str | None = None,
    tag: str | None = None,
    limit: int,
    offset: int = 0,
) -> Overview:
    """Raises StoreUnavailable."""
    found = schedules.find(context, state=state, name=name, tag=tag, limit=limit, offset=offset)
    now, exclusions = context.now(), context.exclusions(found.items)
    runs = context.repository.outcomes.latest([each.id for each in found.items], RUNS_SHOWN)
    lines = [
        Line(
            schedule=each,
            next_run=next_occurrence(each, now, exclusions[each.id]),
            runs=tuple(reversed(runs.get(each.id, ()))),
        )
        for each in found.items
    ]
    return Overview(
        now=now, lines=tuple(lines), total=found.total, status=status(context), lateness=lateness(context)
    )


def lateness(context: Context) -> Lateness | None:
    """Of the newest calls; None when there were none."""
    newest = context.repository.events.history(None, limit=_LATENESS_OF).items
    measured = sorted(event.lateness_ms for event in newest if event.lateness_ms is not None)
    if not measured:
        return None
    return Lateness(
        calls=len(measured),
        p50_ms=measured[(len(measured) - 1) // 2],
        p99_ms=measured[(len(measured) - 1) * 99 // 100],
    )
