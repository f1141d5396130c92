"""Looking at the embedded store itself; the contract is `base.Inspection`."""

import sqlite3

from rrcli.errors import StoreCorrupt
from rrcli.repository import sqlite_schema
from rrcli.repository.base import Server
from rrcli.repository.sqlite_database import Database

_LEAST = "3.35"
_NAMES = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
_PROBLEMS = 100
"""Problems of one file that are named."""


class SqliteInspection:
    """The file, its schema, and the library that reads it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def servers(self) -> list[Server]:
        found = sqlite3.sqlite_version_info
        supported = found >= tuple(map(int, _LEAST.split(".")))
        return [Server(name="SQLite", version=sqlite3.sqlite_version, least=_LEAST, supported=supported)]

    def missing_indexes(self) -> list[str]:
        with self._database.read() as connection:
            present = {name for (name,) in connection.execute(_NAMES)}
        return sorted(sqlite_schema.names() - present)

    def damage(self) -> list[str]:
        try:
            with self._database.read() as connection:
                found = [str(text) for (text,) in connection.execute(f"PRAGMA integrity_check({_PROBLEMS})")]
        except StoreCorrupt as error:  # so badly that the check itself cannot read on
            return [error.message]
        return [] if found == ["ok"] else found
