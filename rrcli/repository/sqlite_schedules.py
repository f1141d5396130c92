"""The schedules of the embedded store; the contract is `base.Schedules`."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TypeVar

from rrcli.clock import to_ms
from rrcli.core.models import Schedule, ScheduleState, Timetable
from rrcli.errors import Conflict
from rrcli.repository.base import Advance, Page
from rrcli.repository.readable import first_readable, readable
from rrcli.repository.sqlite_database import Database, statements
from rrcli.repository.sqlite_rows import (
    Row,
    after_prefix,
    id_list,
    optional_ms,
    row_id,
    schedule_of,
    schedule_row,
    timetable_of,
)

R = TypeVar("R")

_SQL = statements("sqlite_schedules.sql")
_BEHIND_ALL_IDS = "g"
_ALWAYS = -(2**63)


class SqliteSchedules:
    """One row a schedule."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, schedules: Sequence[Schedule]) -> None:
        """Store all, or none when an id exists: then raises Conflict."""
        rows = [schedule_row(schedule) for schedule in schedules]
        ids = [schedule.id for schedule in schedules]
        with self._database.write() as connection:
            taken = {row[0] for row in connection.execute(_SQL["get"], {"ids": id_list(ids)})}
            taken |= {id for id, count in Counter(ids).items() if count > 1}
            if taken:
                raise Conflict(f"There already is a schedule with the id {', '.join(sorted(taken))}.")
            connection.executemany(_SQL["insert"], rows)

    def get(self, ids: Collection[str]) -> dict[str, Schedule]:
        found = self._select("get", {"ids": id_list(ids)})
        return {schedule.id: schedule for schedule in found}

    def known(self, ids: Collection[str]) -> set[str]:
        with self._database.read() as connection:
            return {id for (id,) in connection.execute(_SQL["known"], {"ids": id_list(ids)})}

    def resolve(self, reference: str, limit: int = 3) -> list[Schedule]:
        if not reference:  # the beginning of every id
            return []
        prefix = {"first": reference, "last": after_prefix(reference), "limit": limit}
        return (
            self._select("get", {"ids": id_list([reference])})
            or self._select("by_name", {"name": reference, "limit": limit})
            or self._select("by_prefix", prefix)
        )

    def find(
        self,
        *,
        state: ScheduleState | None = None,
        name: str | None = None,
        tag: str | None = None,
        limit: int,
        offset: int = 0,
    ) -> Page[Schedule]:
        values: dict[str, object] = {
            "state": state,
            "name": name.casefold() if name else None,
            "tag": tag,
            "limit": limit,
            "offset": offset,
        }
        total = "count_matches" if name or tag else "count_in_state" if state else "count"
        items = self._select("find_in_state" if state else "find", values)
        with self._database.read() as connection:
            (count,) = connection.execute(_SQL[total], values).fetchone()
        return Page(items=tuple(items), total=count)

    def following(
        self,
        after_id: str | None,
        *,
        state: ScheduleState | None = None,
        name: str | None = None,
        tag: str | None = None,
        limit: int,
    ) -> list[Schedule]:
        values: dict[str, object] = {
            "after_id": _BEHIND_ALL_IDS if after_id is None else after_id,
            "state": state,
            "name": name.casefold() if name else None,
            "tag": tag,
        }
        which = "following_with_tag" if tag else "following_in_state" if state else "following"
        return self._first(which, values, limit, schedule_of)

    def replace(self, schedule: Schedule, *, expected_revision: int) -> bool:
        with self._database.write() as connection:
            values = (*schedule_row(schedule), expected_revision)
            return connection.execute(_SQL["replace"], values).rowcount == 1

    def remove(self, schedule_id: str) -> bool:
        with self._database.write() as connection:
            return connection.execute(_SQL["remove"], {"id": schedule_id}).rowcount == 1

    def due(self, before: datetime, limit: int) -> list[Schedule]:
        return self._first("due", {"before": to_ms(before), "since": _ALWAYS}, limit, schedule_of)

    def timetables(self, before: datetime, limit: int, *, since: datetime | None = None) -> list[Timetable]:
        values: dict[str, object] = {"before": to_ms(before), "since": to_ms(since) if since else _ALWAYS}
        return self._first("due", values, limit, timetable_of)

    def advance(self, moves: Sequence[Advance]) -> int:
        values = [(move.schedule_id, move.rule_revision, optional_ms(move.next_run)) for move in moves]
        with self._database.write(durable=False) as connection:
            return connection.executemany(_SQL["advance"], values).rowcount if values else 0

    def exhausted(self, limit: int) -> list[Schedule]:
        return self._first("exhausted", {}, limit, schedule_of)

    def using_calendar(self, name: str, *, after_id: str = "", limit: int) -> list[Schedule]:
        return self._first("using_calendar", {"name": name, "after_id": after_id}, limit, schedule_of)

    def counts(self) -> dict[ScheduleState, int]:
        with self._database.read() as connection:
            rows: list[Row] = connection.execute(_SQL["counts"]).fetchall()
        numbers: dict[str, int] = dict(rows)
        return {state: numbers[state] for state in ScheduleState if state in numbers}

    def _select(self, statement: str, values: dict[str, object]) -> list[Schedule]:
        with self._database.read() as connection:
            rows = connection.execute(_SQL[statement], values).fetchall()
        return readable(schedule_of, rows, row_id)

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
