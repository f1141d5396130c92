"""Long lists of events in the embedded store; the contract is `base.EventLists`."""

from rrcli.clock import to_ms
from rrcli.core.models import Event, EventState
from rrcli.repository.base import EventQuery, Place
from rrcli.repository.readable import first_readable
from rrcli.repository.sqlite_database import Database, statements
from rrcli.repository.sqlite_rows import event_of, row_id

_SQL = statements("sqlite_event_lists.sql")
_FIRST_MS, _LAST_MS = -(2**62), 2**62


class SqliteEventLists:
    """Each part is found by the place where the one before ended, however deep in the list that is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pending(self, query: EventQuery, *, after: Place | None, limit: int) -> list[Event]:
        start = _FIRST_MS if query.start is None else to_ms(query.start)
        edge = (start, "") if after is None else (to_ms(after.run_time), after.event_id)
        return self._part("pending", query, edge, limit)

    def history(self, query: EventQuery, *, after: Place | None, limit: int) -> list[Event]:
        end = _LAST_MS if query.end is None else to_ms(query.end)
        edge = (end, "") if after is None else (to_ms(after.run_time), after.event_id)
        is_exception = query.state not in (None, EventState.COMPLETED)
        return self._part("exceptions" if is_exception else "history", query, edge, limit)

    def _part(self, statement: str, query: EventQuery, edge: tuple[int, str], limit: int) -> list[Event]:
        if query.schedule_id is not None:
            statement += "_of_schedule"
        values: dict[str, object] = {
            "schedule_id": query.schedule_id,
            "state": query.state,
            "start": _FIRST_MS if query.start is None else to_ms(query.start),
            "end": _LAST_MS if query.end is None else to_ms(query.end),
            "edge_time": edge[0],
            "edge_id": edge[1],
        }
        with self._database.read() as connection:
            return first_readable(
                event_of,
                lambda number: connection.execute(_SQL[statement], values | {"limit": number}).fetchall(),
                limit,
                row_id,
            )
