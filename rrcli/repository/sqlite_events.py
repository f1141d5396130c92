"""The ledger of the embedded store, live and archived; the contract is `base.Events`."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TypeVar

from rrcli.clock import to_ms
from rrcli.core.models import Event, EventState, Kind
from rrcli.repository.base import COUNTED, DISPATCHED, Page, Standing, counted_up_to
from rrcli.repository.readable import first_readable, readable
from rrcli.repository.sqlite_database import Database, statements, write_rows
from rrcli.repository.sqlite_rows import (
    Row,
    after_prefix,
    archived_row,
    event_of,
    event_row,
    id_list,
    row_id,
    row_run_time,
    standing_of,
)
from rrcli.repository.stretches import first_stretch

R = TypeVar("R")

_SQL = statements("sqlite_events.sql")
_QUEUEABLE = {EventState.READY, EventState.RETRY}
_END_OF_TIME_MS = 2**63 - 1
_ALL = -1
"""As a LIMIT: no limit."""


class SqliteEvents:
    """Two tables of the same shape; an event moves from one to the other in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, events: Sequence[Event]) -> list[Event]:
        given = {event.id: event for event in reversed(events)}
        ids = id_list(given)
        # What a rule makes it makes again after a loss of power; what a person asked for nobody does.
        durable = any(event.kind is not Kind.SCHEDULED for event in events)
        rows = {event.id: event_row(event) for event in given.values()}
        with self._database.write(durable=durable) as connection:
            connection.execute(_SQL["drop_revocable"], {"ids": ids})
            ended = _archived(connection, ids)
            stored = {event.id: event for event in _select(connection, "get", {"ids": ids})}
            new = [event for id, event in given.items() if id not in ended and id not in stored]
            write_rows(connection, _SQL["insert"], [rows[event.id] for event in reversed(new)])
        self._database.tidy()
        again = [event for event in stored.values() if event.state in _QUEUEABLE]
        return [*reversed(new), *again]

    def get(self, ids: Collection[str]) -> dict[str, Event]:
        found = self._select("get", {"ids": id_list(ids)})
        return {event.id: event for event in found}

    def find(self, event_id: str) -> Event | None:
        with self._database.read() as connection:
            live = connection.execute(_SQL["get"], {"ids": id_list([event_id])}).fetchone()
            row = live or connection.execute(_SQL["find_archived"], {"id": event_id}).fetchone()
        return next(iter(readable(event_of, [row] if row else [], row_id)), None)

    def resolve(self, reference: str, limit: int = 3) -> list[Event]:
        if not reference:  # the beginning of every id
            return []
        values: dict[str, object] = {"first": reference, "last": after_prefix(reference), "limit": limit}
        found = self._select("live_by_prefix", values) + self._select("archived_by_prefix", values)
        # An event that was archived between the two reads is in both; the later one counts.
        by_id = {event.id: event for event in found}
        return [by_id[id] for id in sorted(by_id)][:limit]

    def pending(self, schedule_id: str | None, *, limit: int, offset: int = 0) -> Page[Event]:
        return self._page("pending", schedule_id, limit, offset)

    def history(self, schedule_id: str | None, *, limit: int, offset: int = 0) -> Page[Event]:
        return self._page("history", schedule_id, limit, offset)

    def _page(self, statement: str, schedule_id: str | None, limit: int, offset: int) -> Page[Event]:
        if schedule_id is not None:
            statement += "_of_schedule"
        most = counted_up_to(limit, offset)
        values: dict[str, object] = {"schedule_id": schedule_id, "limit": limit, "offset": offset}
        with self._database.read() as connection:
            items = _select(connection, statement, values)
            (total,) = connection.execute(
                _SQL[f"{statement}_count"], {"schedule_id": schedule_id, "most": most + 1}
            ).fetchone()
        return Page(items=tuple(items), total=min(total, most), exact=total <= most)

    def dispatched(self, ids: Collection[str], now: datetime, *, due_by: datetime) -> None:
        values: dict[str, object] = {"ids": id_list(ids), "now": to_ms(now), "due_by": to_ms(due_by)}
        values["message"] = DISPATCHED
        with self._database.write(durable=False) as connection:
            connection.execute(_SQL["dispatched"], values)

    def save(self, events: Sequence[Event]) -> None:
        rows = [event_row(event) for event in events]
        with self._database.write() as connection:
            connection.executemany(_SQL["save"], rows)

    def archive(self, events: Sequence[Event], now: datetime) -> set[str]:
        archived_at = to_ms(now)
        rows = [archived_row(event, archived_at) for event in events]
        ids = {event.id for event in events}
        values = {"ids": id_list(ids)}
        with self._database.write() as connection:
            connection.execute(_SQL["drop_revocable"], values)
            write_rows(connection, _SQL["archive"], rows)
            deleted = connection.execute(_SQL["discard"], values).fetchall()
        return ids.difference(id for (id,) in deleted)

    def record_skips(self, events: Sequence[Event], now: datetime) -> None:
        archived_at = to_ms(now)
        rows = [archived_row(event, archived_at) for event in events]
        with self._database.write() as connection:
            write_rows(connection, _SQL["record_skips"], rows)

    def discard(self, ids: Collection[str]) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["discard"], {"ids": id_list(ids)}).fetchall()

    def live(self, *, after_id: str, limit: int) -> list[Event]:
        return self._first("live", {"after_id": after_id}, limit, event_of)

    def standings(self, *, after_id: str, limit: int) -> list[Standing]:
        return self._first("standings", {"after_id": after_id}, limit, standing_of)

    def unfinished(
        self, schedule_id: str, *, before: datetime | None = None, limit: int = 1000
    ) -> list[Event]:
        end = _END_OF_TIME_MS if before is None else to_ms(before)
        return self._first("unfinished", {"schedule_id": schedule_id, "before": end}, limit, event_of)

    def between(self, schedule_id: str, start: datetime, end: datetime, *, limit: int) -> list[Event]:
        def fetch(start: datetime, end: datetime, number: int | None) -> list[Row]:
            values = {"schedule_id": schedule_id, "start": to_ms(start), "end": to_ms(end)}
            with self._database.read() as connection:
                return connection.execute(
                    _SQL["between"], values | {"limit": _ALL if number is None else number}
                ).fetchall()

        return first_stretch(event_of, fetch, start, end, limit=limit, run_time=row_run_time, identity=row_id)

    def covering(self, schedule_id: str, instant: datetime) -> list[Event]:
        return self._select("covering", {"schedule_id": schedule_id, "instant": to_ms(instant)})

    def archived(self, ids: Collection[str]) -> set[str]:
        with self._database.read() as connection:
            return _archived(connection, id_list(ids))

    def claimed(self, ids: Collection[str]) -> tuple[dict[str, Event], set[str]]:
        return self.get(ids), self.archived(ids)

    def results(self, schedule_id: str, limit: int) -> list[Event]:
        return self._first("results", {"schedule_id": schedule_id}, limit, event_of)

    def forget(self, schedule_id: str) -> list[str]:
        values = {"schedule_id": schedule_id}
        with self._database.write() as connection:
            live = connection.execute(_SQL["forget_live"], values).fetchall()
            connection.execute(_SQL["forget_archived"], values)
        return [id for (id,) in live]

    def purge(self, before: datetime, limit: int) -> int:
        with self._database.write() as connection:
            return connection.execute(_SQL["purge"], {"before": to_ms(before), "limit": limit}).rowcount

    def counts(self) -> dict[EventState, int]:
        with self._database.read() as connection:
            rows = connection.execute(_SQL["counts"], {"limit": COUNTED}).fetchall()
            numbers: dict[str, int] = dict(rows)
            if (counted := sum(numbers.values())) >= COUNTED:
                (total,) = connection.execute(_SQL["live_count"]).fetchone()
                numbers[EventState.READY] = numbers.get(EventState.READY, 0) + total - counted
        return {state: numbers[state] for state in EventState if state in numbers}

    def _select(self, statement: str, values: dict[str, object]) -> list[Event]:
        with self._database.read() as connection:
            return _select(connection, statement, values)

    def _first(
        self, statement: str, values: dict[str, object], limit: int, decode: Callable[[Row], R]
    ) -> list[R]:
        with self._database.read() as connection:
            return first_readable(
                decode,
                lambda number: connection.execute(_SQL[statement], values | {"limit": number}).fetchall(),
                limit,
                row_id,
            )


def _select(connection: sqlite3.Connection, statement: str, values: dict[str, object]) -> list[Event]:
    return readable(event_of, connection.execute(_SQL[statement], values).fetchall(), row_id)


def _archived(connection: sqlite3.Connection, ids: str) -> set[str]:
    return {id for (id,) in connection.execute(_SQL["archived"], {"ids": ids})}
