"""Every statement of every `.sql` file: none reads through a table that grows, but for reasons given here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import rrcli.repository
from rrcli.repository.sqlite_database import Database, statements
from tests.contract.test_sqlite_plans import plan

FILES = sorted(Path(rrcli.repository.__file__).parent.glob("sqlite_*.sql"))
# What SQLite calls a scan, and why it is none of a table that grows, or has to be.
SCANS = {
    ("sqlite_api_keys", "list"): "a few dozen keys",
    ("sqlite_api_keys", "exist"): "ends at the first key",
    ("sqlite_calendars", "list"): "a few calendars",
    ("sqlite_queues", "expired"): "one lease for each worker",
    ("sqlite_events", "pending"): "in the order of an index, up to its LIMIT",
    ("sqlite_events", "history"): "in the order of an index, up to its LIMIT",
    ("sqlite_events", "counts"): "in the order of the ids, up to its LIMIT",
    ("sqlite_schedules", "find"): "in the order of an index, up to its LIMIT; part of a name: all",
    ("sqlite_schedules", "exhausted"): "an index that has only the exhausted",
    ("sqlite_events", "pending_count"): "counts up to its LIMIT",
    ("sqlite_events", "history_count"): "counts up to its LIMIT",
    ("sqlite_events", "pending_of_schedule_count"): "counts up to its LIMIT what an index found",
    ("sqlite_events", "history_of_schedule_count"): "counts up to its LIMIT what an index found",
    ("sqlite_events", "live_count"): "a total: the number of cells of each page of an index",
    ("sqlite_schedules", "count"): "a total: the number of cells of each page of an index",
    ("sqlite_schedules", "counts"): "totals by state, on an index alone",
    ("sqlite_queues", "depths"): "totals by place, on an index alone",
    ("sqlite_schedules", "count_matches"): "a part of a name is looked for in all of them: no index finds it",
}
# What is sorted in memory, and what bounds it.
SORTS = {
    ("sqlite_api_keys", "list"): "a few dozen keys",
    ("sqlite_heartbeats", "list"): "one row for each process",
    ("sqlite_schedules", "by_name"): "those of one name",
    ("sqlite_events", "history"): "the rows of one page",
    ("sqlite_events", "history_of_schedule"): "the rows of one page",
    ("sqlite_events", "counts"): "one row for each state, of a bounded number",
    ("sqlite_outcomes", "latest"): "a few runs of each schedule asked for",
    ("sqlite_outcomes", "tally"): "one row for each stretch and state",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(Path(tmp_path_factory.mktemp("statements"), "store.db"))
    made.init()
    yield made
    made.close()


def every_statement() -> Iterator[tuple[str, str, str]]:
    """File, name and text of each."""
    for file in FILES:
        for name, text in statements(file.name).items():
            yield file.stem, name, text


def found(database: Database, what: str, *, but: str) -> set[tuple[str, str]]:
    """The statements with such a step in their plan."""
    return {
        (file, name)
        for file, name, text in every_statement()
        if any(what in step and but not in step for step in plan(database, text))
    }


def test_all_files_are_looked_at() -> None:
    assert len(FILES) > 7
    assert len(list(every_statement())) > 80


def test_only_what_is_listed_reads_through_a_table(database: Database) -> None:
    # A virtual table is the list of what was asked for.
    assert found(database, "SCAN ", but="VIRTUAL TABLE") == SCANS.keys()


def test_only_what_is_listed_is_sorted_in_memory(database: Database) -> None:
    assert found(database, "USE TEMP B-TREE", but="never") == SORTS.keys()
