"""`rrcli status`: daemons, queues, lateness, how many schedules and events there are, what comes next."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from rrcli.cli import times
from rrcli.cli.group import command
from rrcli.cli.output import Json, emit
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import Cell, Column, Row, fields, state_cell, table
from rrcli.cli.text import count
from rrcli.operations import status as operation
from rrcli.operations.summary import Summary, summary_view

_State = TypeVar("_State", bound=StrEnum)

_LATE = timedelta(seconds=5)
"""An entry due for longer than this is waiting for somebody who does not come."""


@command("status", examples="rrcli status\nrrcli status -o json | jq .queues.ready\nwatch rrcli status")
@pass_state
def status(state: State) -> None:
    """Show daemons with their last sign of life, queues, lateness, counts, and the next 5 occurrences."""
    found = state.service().summary()
    emit(state, summary_view(found), table=lambda: page(state, found), ids=_instances)
    if found.status.absent and state.output == "table":
        state.warn_absent(found.status.absent)


def _instances(view: Json) -> str:
    return "\n".join(str(each["instance"]) for each in view["daemons"])


def page(state: State, summary: Summary) -> str:
    """Everything on one page."""
    found = summary.status
    facts: list[tuple[str, Cell | str]] = [
        ("store", found.store),
        ("queues", _queues(found)),
        ("lateness", _lateness(summary)),
        ("schedules", _counts(found.schedules)),
        ("live events", _counts(found.events)),
    ]
    parts = [_daemons(state, found), "", fields(facts, width=state.width, indent=0)]
    if summary.upcoming:
        parts += ["", upcoming(state, summary)]
    return "\n".join(parts)


def upcoming(state: State, summary: Summary) -> str:
    """The table of the next occurrences."""
    now = summary.status.now
    columns = (
        Column("NEXT"),
        Column(times.zone_name(state.tz, now).upper()),
        Column("SCHEDULE", least=12),
        Column("ID", keep=1),
    )
    rows: list[Row] = [
        (
            Cell(times.relative(each.run_time, now), "cyan"),
            times.absolute(each.run_time, state.tz),
            each.name,
            Cell(each.schedule_id, dim=True),
        )
        for each in summary.upcoming
    ]
    return table(columns, rows, width=state.width, rule=state.terminal)


def _lateness(summary: Summary) -> str:
    late = summary.lateness
    if late is None:
        return "no calls yet"
    return (
        f"half of the last {count(late.calls, 'call')} within {times.span(late.p50_ms / 1000)}, "
        f"99 % within {times.span(late.p99_ms / 1000)}"
    )


def _daemons(state: State, found: operation.Status) -> str:
    columns = (
        Column("DAEMON"),
        Column("STATE"),
        Column("LAST SIGN"),
        Column("UP", keep=3),
        Column("PID", right=True, keep=2),
        Column("HOST", least=10, keep=1),
    )
    rows: list[Row] = [
        (
            each.daemon,
            state_cell("alive" if found.alive(each) else "gone"),
            times.relative(each.seen_at, found.now),
            times.span(round((found.now - each.started_at).total_seconds())),
            str(each.pid),
            each.host,
        )
        for each in found.heartbeats
    ]
    seen = {each.daemon for each in found.heartbeats}
    rows += [(each, state_cell("absent"), "", "", "", "") for each in found.absent if each not in seen]
    return table(columns, rows, width=state.width, rule=state.terminal)


def _queues(found: operation.Status) -> Cell:
    depths = found.depths
    text = f"{depths.ready:,} ready, {depths.worker:,} for workers, {depths.in_flight:,} in flight"
    if depths.oldest_due is None:
        return Cell(text)
    late = found.now - depths.oldest_due > _LATE
    return Cell(f"{text}; oldest due {times.relative(depths.oldest_due, found.now)}", "red" if late else None)


def _counts(numbers: Mapping[_State, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in numbers.items() if number) or "none"
