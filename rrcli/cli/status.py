"""`rrcli status`: daemons, queues, and how many schedules and events there are."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from rrcli.cli import times
from rrcli.cli.group import command
from rrcli.cli.output import Json, emit
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import Cell, Column, Row, fields, state_cell, table
from rrcli.core.timefmt import format_instant
from rrcli.operations import status as operation
from rrcli.repository.base import Heartbeat

_State = TypeVar("_State", bound=StrEnum)

_LATE = timedelta(seconds=5)
"""An entry due for longer than this is waiting for somebody who does not come."""


@command("status", examples="rrcli status\nrrcli status -o json | jq .queues.ready\nwatch rrcli status")
@pass_state
def status(state: State) -> None:
    """Show daemons with their last sign of life, queues, and counts of schedules and events."""
    found = operation.status(state.context())
    emit(state, _view(found), table=lambda: _page(state, found), ids=_instances)
    if found.absent and state.output == "table":
        state.warn_absent(found.absent)


def _view(found: operation.Status) -> Json:
    depths = found.depths
    return {
        "time": format_instant(found.now),
        "store": found.store,
        "daemons": [_daemon_view(found, each) for each in found.heartbeats],
        "absent": list(found.absent),
        "queues": {
            "ready": depths.ready,
            "worker": depths.worker,
            "in_flight": depths.in_flight,
            "oldest_due": format_instant(depths.oldest_due) if depths.oldest_due else None,
            "oldest_due_age_seconds": _age(found) if depths.oldest_due else None,
        },
        "schedules": {str(each): number for each, number in found.schedules.items()},
        "events": {str(each): number for each, number in found.events.items()},
    }


def _daemon_view(found: operation.Status, heartbeat: Heartbeat) -> Json:
    return {
        "daemon": heartbeat.daemon,
        "instance": heartbeat.instance,
        "state": _liveness(found, heartbeat),
        "host": heartbeat.host,
        "pid": heartbeat.pid,
        "started_at": format_instant(heartbeat.started_at),
        "seen_at": format_instant(heartbeat.seen_at),
        "age_seconds": round((found.now - heartbeat.seen_at).total_seconds(), 3),
        "detail": dict(heartbeat.detail),
    }


def _liveness(found: operation.Status, heartbeat: Heartbeat) -> str:
    return "alive" if found.alive(heartbeat) else "gone"


def _age(found: operation.Status) -> float:
    """How long the oldest entry has been due, in seconds; 0 when it is due in the future."""
    assert found.depths.oldest_due is not None
    return max(0.0, round((found.now - found.depths.oldest_due).total_seconds(), 3))


def _instances(view: Json) -> str:
    return "\n".join(str(each["instance"]) for each in view["daemons"])


def _page(state: State, found: operation.Status) -> str:
    facts: list[tuple[str, Cell | str]] = [
        ("store", found.store),
        ("queues", _queues(found)),
        ("schedules", _counts(found.schedules)),
        ("live events", _counts(found.events)),
    ]
    return "\n".join([_daemons(state, found), "", fields(facts, width=state.width, indent=0)])


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
            state_cell(_liveness(found, each)),
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
