"""What the command line asks for beyond looking: done on a store here, or by a REST service elsewhere.

Looking goes through `Context.repository` in both cases; `rrcli.remote` has the other implementation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from rrcli.core.calendars import Calendar
from rrcli.core.models import Event, Schedule
from rrcli.operations import audit, calendars, changes, events, replay, schedules, skips, why
from rrcli.operations.audit import Report
from rrcli.operations.context import Context
from rrcli.operations.replay import Only, Planned, Replayed, Tally
from rrcli.operations.status import status
from rrcli.operations.summary import Summary, summary
from rrcli.operations.why import Story

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """What a replay of a schedule goes over: [start, end), which instants, and whether once more."""

    start: datetime
    end: datetime
    only: Only = Only.ALL
    force: bool = False


class Service(Protocol):
    """Changes, and questions that take the whole ledger. Each raises what the operation of its name does."""

    def create(self, data: Mapping[str, object]) -> Schedule: ...

    def update(
        self, schedule_id: str, data: Mapping[str, object], *, expected_revision: int | None = None
    ) -> Schedule: ...

    def pause(self, schedule_id: str, *, expected_revision: int | None = None) -> Schedule: ...

    def resume(self, schedule_id: str, *, expected_revision: int | None = None) -> Schedule: ...

    def trigger(self, schedule_id: str) -> Event: ...

    def delete(self, schedule_id: str, *, expected_revision: int | None = None) -> None: ...

    def skip(self, schedule_id: str, **options: Any) -> Schedule: ...

    def unskip(self, schedule_id: str, **options: Any) -> Schedule: ...

    def move(self, schedule_id: str, **options: Any) -> Schedule: ...

    def revealed(self, schedule: Schedule) -> Schedule:
        """The schedule with what is masked elsewhere."""
        ...

    def cancel(self, event_id: str) -> Event: ...

    def replay(self, event_id: str, *, new_id: bool = False, force: bool = False) -> Replayed: ...

    def plan(self, schedule: Schedule, what: Range) -> tuple[Tally, Iterator[Planned]]: ...

    def enter(self, schedule: Schedule, what: Range, *, per_second: float | None = None) -> Iterator[int]: ...

    def audit(self, schedule: Schedule, start: datetime, end: datetime) -> tuple[Report, Iterator[Json]]:
        """A report that grows while the rows, as JSON, are read. Raises InvalidInput and InvalidRule."""
        ...

    def why(self, event: Event) -> Story: ...

    def why_at(self, schedule: Schedule, instant: datetime) -> Story: ...

    def put_calendar(self, name: str, text: str, *, overwrite: bool = True) -> Calendar: ...

    def delete_calendar(self, name: str, *, force: bool = False) -> None: ...

    def summary(self) -> Summary: ...

    def absent(self) -> Sequence[str]:
        """Daemons of which no instance is alive."""
        ...


class Local:
    """On the store that the context has open."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def create(self, data: Mapping[str, object]) -> Schedule:
        return schedules.create(self._context, data)

    def update(
        self, schedule_id: str, data: Mapping[str, object], *, expected_revision: int | None = None
    ) -> Schedule:
        return changes.update(self._context, schedule_id, data, expected_revision=expected_revision)

    def pause(self, schedule_id: str, *, expected_revision: int | None = None) -> Schedule:
        return changes.pause(self._context, schedule_id, expected_revision=expected_revision)

    def resume(self, schedule_id: str, *, expected_revision: int | None = None) -> Schedule:
        return changes.resume(self._context, schedule_id, expected_revision=expected_revision)

    def trigger(self, schedule_id: str) -> Event:
        return events.trigger(self._context, schedule_id)

    def delete(self, schedule_id: str, *, expected_revision: int | None = None) -> None:
        schedules.delete(self._context, schedule_id, expected_revision=expected_revision)

    def skip(self, schedule_id: str, **options: Any) -> Schedule:
        return skips.skip(self._context, schedule_id, **options)

    def unskip(self, schedule_id: str, **options: Any) -> Schedule:
        return skips.unskip(self._context, schedule_id, **options)

    def move(self, schedule_id: str, **options: Any) -> Schedule:
        return skips.move(self._context, schedule_id, **options)

    def revealed(self, schedule: Schedule) -> Schedule:
        return schedule

    def cancel(self, event_id: str) -> Event:
        return events.cancel(self._context, event_id)

    def replay(self, event_id: str, *, new_id: bool = False, force: bool = False) -> Replayed:
        return replay.replay(self._context, event_id, new_id=new_id, force=force)

    def plan(self, schedule: Schedule, what: Range) -> tuple[Tally, Iterator[Planned]]:
        return replay.plan(self._context, schedule, what.start, what.end, only=what.only, force=what.force)

    def enter(self, schedule: Schedule, what: Range, *, per_second: float | None = None) -> Iterator[int]:
        return replay.enter(self._context, schedule, self.plan(schedule, what)[1], per_second=per_second)

    def audit(self, schedule: Schedule, start: datetime, end: datetime) -> tuple[Report, Iterator[Json]]:
        made, rows = audit.audit(self._context, schedule, start, end)
        return made, _noted(made, rows)

    def why(self, event: Event) -> Story:
        return why.why(self._context, event)

    def why_at(self, schedule: Schedule, instant: datetime) -> Story:
        return why.why_at(self._context, schedule, instant)

    def put_calendar(self, name: str, text: str, *, overwrite: bool = True) -> Calendar:
        return calendars.put(self._context, name, text, overwrite=overwrite)[0]

    def delete_calendar(self, name: str, *, force: bool = False) -> None:
        calendars.delete(self._context, name, force=force)

    def summary(self) -> Summary:
        return summary(self._context)

    def absent(self) -> Sequence[str]:
        return status(self._context).absent


def _noted(made: Report, rows: Iterator[audit.Row]) -> Iterator[Json]:
    for row in rows:
        made.note(row)
        yield audit.row_view(row)
