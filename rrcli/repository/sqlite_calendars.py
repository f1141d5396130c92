"""Holiday calendars in the embedded store; the contract is `base.Calendars`."""

import json
from collections.abc import Collection
from datetime import date

from rrcli.clock import from_ms, to_ms
from rrcli.core.calendars import Calendar, Closure, Holiday
from rrcli.repository.readable import readable
from rrcli.repository.sqlite_database import Database, statements
from rrcli.repository.sqlite_rows import Row, id_list, row_id

_SQL = statements("sqlite_calendars.sql")


class SqliteCalendars:
    """One row a calendar; `document` is JSON of its days and spans."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, calendar: Calendar) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["put"], _row(calendar))

    def get(self, names: Collection[str]) -> dict[str, Calendar]:
        with self._database.read() as connection:
            rows = connection.execute(_SQL["get"], {"names": id_list(names)}).fetchall()
        return {calendar.name: calendar for calendar in readable(_calendar_of, rows, row_id)}

    def versions(self, names: Collection[str]) -> dict[str, str]:
        with self._database.read() as connection:
            rows: list[Row] = connection.execute(_SQL["versions"], {"names": id_list(names)}).fetchall()
        return dict(rows)

    def list(self) -> list[Calendar]:
        with self._database.read() as connection:
            rows = connection.execute(_SQL["list"]).fetchall()
        return readable(_calendar_of, rows, row_id)

    def remove(self, name: str) -> bool:
        with self._database.write() as connection:
            return connection.execute(_SQL["remove"], {"name": name}).rowcount == 1


def _row(calendar: Calendar) -> Row:
    document = {
        "holidays": [(each.day.isoformat(), each.title) for each in calendar.holidays],
        "closures": [(to_ms(each.start), to_ms(each.end), each.title) for each in calendar.closures],
    }
    return (calendar.name, calendar.version, to_ms(calendar.updated_at), json.dumps(document))


def _calendar_of(row: Row) -> Calendar:
    name, version, updated_at, text = row
    document = json.loads(text)
    return Calendar(
        name=name,
        version=version,
        holidays=tuple(
            Holiday(day=date.fromisoformat(day), title=title) for day, title in document["holidays"]
        ),
        closures=tuple(
            Closure(start=from_ms(start), end=from_ms(end), title=title)
            for start, end, title in document["closures"]
        ),
        updated_at=from_ms(updated_at),
    )
