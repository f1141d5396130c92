"""The schema of the embedded store: what `sqlite.sql` declares, and what a file lacks of it.

A file may be of a development version, which had the same version number. Indexes and triggers are made
anew from what is there; tables are not, since nobody knows what their rows would have been.
"""

import re
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

_PRESENT = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_CREATE = re.compile(r"^CREATE (?P<kind>TABLE|INDEX|TRIGGER) (?P<name>\w+)", re.MULTILINE)


@cache
def steps() -> tuple[str, ...]:
    """The statements that make an empty file a store."""
    text = Path(__file__).with_name("sqlite.sql").read_text(encoding="utf-8")
    return tuple(text.split(";\n"))


@cache
def _declared() -> dict[str, tuple[str, str]]:
    """By name the kind of a table, index or trigger, and its statement as SQLite keeps it."""
    found = ((_CREATE.search(step), step) for step in steps())
    return {match["name"]: (match["kind"], step[match.start() :]) for match, step in found if match}


def names() -> set[str]:
    """The tables, indexes and triggers of a complete store."""
    return set(_declared())


def repairs(connection: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """By name the statements that make an index or trigger as it is declared; usually none."""
    present = dict(connection.execute(_PRESENT))
    return {
        name: (f"DROP {kind} IF EXISTS {name}", statement)
        for name, (kind, statement) in _declared().items()
        if kind != "TABLE" and present.get(name) != statement
    }


def lacking(connection: sqlite3.Connection) -> list[str]:
    """Tables, and columns as `table.column`, that are declared and not there; usually none."""
    present = dict(connection.execute(_PRESENT))
    tables = [name for name, (kind, _) in _declared().items() if kind == "TABLE"]
    found = [table for table in tables if table not in present]
    others = [table for table in tables if present.get(table, _sql(table)) != _sql(table)]
    if others:
        with closing(sqlite3.connect(":memory:")) as whole:
            whole.executescript(";\n".join(steps()))
            for table in others:
                absent = _columns(whole, table) - _columns(connection, table)
                found += [f"{table}.{column}" for column in sorted(absent)]
    return found


def _sql(table: str) -> str:
    return _declared()[table][1]


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
