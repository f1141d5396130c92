"""Looking back over the archive of the embedded store; the contract is `base.Outcomes`."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from rrcli.clock import from_ms, to_ms
from rrcli.core.models import EventState
from rrcli.repository.base import Run
from rrcli.repository.readable import readable
from rrcli.repository.sqlite_database import Database, statements
from rrcli.repository.sqlite_rows import Row, id_list

_SQL = statements("sqlite_outcomes.sql")
_STATES = {state.value: state for state in EventState}


class SqliteOutcomes:
    """Reads `archived_events` by its index on schedule and run time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, schedule_ids: Collection[str], limit: int) -> dict[str, list[Run]]:
        values = {"schedule_ids": id_list(schedule_ids), "limit": limit}
        with self._database.read() as connection:
            rows = connection.execute(_SQL["latest"], values).fetchall()
        found: dict[str, list[Run]] = {}
        for schedule_id, run in readable(_run_of, rows, lambda row: row[1]):
            found.setdefault(schedule_id, []).append(run)
        return found

    def tally(self, schedule_id: str, edges: Sequence[datetime]) -> list[dict[EventState, int]]:
        values = {"schedule_id": schedule_id, "edges": json.dumps([to_ms(edge) for edge in edges])}
        with self._database.read() as connection:
            rows = connection.execute(_SQL["tally"], values).fetchall()
        counted: list[dict[EventState, int]] = [{} for _ in edges[1:]]
        for index, state, number in rows:
            if state in _STATES:
                counted[index][_STATES[state]] = number
        return counted


def _run_of(row: Row) -> tuple[str, Run]:
    schedule_id, event_id, run_time, state, lateness_ms, duration_ms = row
    return schedule_id, Run(
        event_id=event_id,
        run_time=from_ms(run_time),
        state=EventState(state),
        lateness_ms=lateness_ms,
        duration_ms=duration_ms,
    )
