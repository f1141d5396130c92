"""Schedules as one looks over them: each with its next occurrence and its last runs."""

from dataclasses import dataclass
from datetime import datetime

from rrcli.core.models import Schedule, ScheduleState
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.operations.views import next_occurrence
from rrcli.repository.base import Page, Run

RUNS_SHOWN = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One schedule, when it runs next, and its last runs, the oldest first."""

    schedule: Schedule
    next_run: datetime | None
    runs: tuple[Run, ...]


def lines(
    context: Context,
    *,
    state: ScheduleState | None = None,
    name: str | None = None,
    tag: str | None = None,
    limit: int,
    offset: int = 0,
) -> Page[Line]:
    """Newest schedules first, in three round trips however many. Raises StoreUnavailable."""
    found = schedules.find(context, state=state, name=name, tag=tag, limit=limit, offset=offset)
    now, exclusions = context.now(), context.exclusions(found.items)
    runs = context.repository.outcomes.latest([each.id for each in found.items], RUNS_SHOWN)
    items = tuple(
        Line(
            schedule=each,
            next_run=next_occurrence(each, now, exclusions[each.id]),
            runs=tuple(reversed(runs.get(each.id, ()))),
        )
        for each in found.items
    )
    return Page(items=items, total=found.total)
