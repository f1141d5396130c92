"""No statement of the hot paths reads a whole table: SQLite's own plan says so."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rrcli.repository import (
    sqlite_api_keys,
    sqlite_calendars,
    sqlite_event_lists,
    sqlite_events,
    sqlite_heartbeats,
    sqlite_idempotency_keys,
    sqlite_outcomes,
    sqlite_queues,
    sqlite_schedules,
)
from rrcli.repository.sqlite_database import Database

# What reads all there is on purpose: totals, lists up to their LIMIT, the few leases, and an index that
# has only the exhausted.
WHOLE = {
    sqlite_api_keys: "list exist",
    sqlite_calendars: "list",
    sqlite_schedules: "exhausted using_calendar find count count_matches counts",
    sqlite_events: "pending pending_count history history_count counts live_count",
    sqlite_queues: "expired depths",
}
# A scan of what the statement itself made or was given: rows up to a LIMIT, ids.
OF_THE_STATEMENT = r"subquery|json_each"
# What must find its first rows by an index that has them in order, and which.
ORDERED = [
    (sqlite_schedules, "find", "sqlite_autoindex_schedules_1"),
    (sqlite_schedules, "find_in_state", "schedules_state"),
    (sqlite_schedules, "following", "sqlite_autoindex_schedules_1"),
    (sqlite_schedules, "following_in_state", "schedules_state"),
    (sqlite_schedules, "following_with_tag", "schedule_tags USING PRIMARY KEY"),
    (sqlite_schedules, "due", "schedules_due"),
    (sqlite_event_lists, "pending", "events_run_time"),
    (sqlite_event_lists, "pending_of_schedule", "events_schedule"),
    (sqlite_event_lists, "history", "archived_events_run_time"),
    (sqlite_event_lists, "history_of_schedule", "archived_events_schedule"),
    (sqlite_event_lists, "exceptions", "archived_events_exceptions"),
    (sqlite_event_lists, "exceptions_of_schedule", "archived_events_schedule_exceptions"),
    (sqlite_schedules, "exhausted", "schedules_exhausted"),
    (sqlite_schedules, "using_calendar", "schedules_calendars"),
    (sqlite_events, "results", "archived_events_schedule"),
    (sqlite_events, "live", "PRIMARY KEY"),
    (sqlite_events, "standings", "PRIMARY KEY"),
    (sqlite_events, "pending", "events_run_time"),
    (sqlite_events, "pending_of_schedule", "events_schedule"),
    (sqlite_events, "unfinished", "events_schedule"),
    (sqlite_events, "between", "events_schedule"),
    (sqlite_events, "between", "archived_events_schedule"),
    (sqlite_events, "covering", "archived_events_spans"),
    (sqlite_queues, "head", "queue_place"),
    (sqlite_queues, "due", "queue_place"),
    (sqlite_queues, "claim", "queue_place"),
    (sqlite_heartbeats, "forget", "heartbeats_seen_at"),
    (sqlite_idempotency_keys, "expire", "idempotency_keys_created_at"),
]
# A page of history is cut on a covering index; only the rows of the page are sorted.
PAGED = [("history", "archived_events_run_time"), ("history_of_schedule", "archived_events_schedule")]


class AnyValue(dict[str, object]):
    """Binds every named parameter: the plan does not depend on values."""

    def __missing__(self, name: str) -> object:
        return 1


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(Path(tmp_path_factory.mktemp("plans"), "store.db"))
    made.init()
    yield made
    made.close()


def plan(database: Database, statement: str) -> list[str]:
    """The steps of SQLite's plan."""
    numbers = [int(number) for number in re.findall(r"\?(\d+)", statement)]
    positions = max(numbers, default=statement.count("?"))
    values: Any = (1,) * positions if positions else AnyValue()
    with database.read() as connection:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


def name_of(value: object) -> str:
    return value.__name__.rpartition("_")[2] if isinstance(value, ModuleType) else str(value)


def bounded() -> Iterator[tuple[ModuleType, str]]:
    """All statements that depend on how much is asked for, not on how much there is."""
    modules = (
        sqlite_schedules,
        sqlite_events,
        sqlite_queues,
        sqlite_heartbeats,
        sqlite_api_keys,
        sqlite_calendars,
        sqlite_idempotency_keys,
        sqlite_event_lists,
    )
    for module in modules:
        for name in module._SQL:
            if name not in WHOLE.get(module, "").split():
                yield module, name


@pytest.mark.parametrize(("module", "name"), list(bounded()), ids=name_of)
def test_no_table_is_read_as_a_whole(database: Database, module: ModuleType, name: str) -> None:
    steps = plan(database, module._SQL[name])

    assert [step for step in steps if step.startswith("SCAN") and not re.search(OF_THE_STATEMENT, step)] == []


def by_ids() -> Iterator[tuple[ModuleType, str]]:
    return ((module, name) for module, name in bounded() if "json_each(:ids)" in module._SQL[name])


@pytest.mark.parametrize(("module", "name"), list(by_ids()), ids=name_of)
def test_ids_are_looked_up_one_by_one_however_many_rows_there_are(
    database: Database, module: ModuleType, name: str
) -> None:
    (search,) = (step for step in plan(database, module._SQL[name]) if step.startswith("SEARCH"))
    assert search.endswith(("(id=?)", "event_id=?)"))


@pytest.mark.parametrize(("module", "name", "index"), ORDERED, ids=name_of)
def test_the_first_rows_are_found_by_an_index_that_has_them_in_order(
    database: Database, module: ModuleType, name: str, index: str
) -> None:
    steps = plan(database, module._SQL[name])

    assert [step for step in steps if "TEMP B-TREE" in step] == []
    assert any(index in step for step in steps)


@pytest.mark.parametrize(("name", "index"), PAGED)
def test_a_page_of_history_is_cut_on_an_index_alone(database: Database, name: str, index: str) -> None:
    steps = plan(database, sqlite_events._SQL[name])

    assert any(f"USING COVERING INDEX {index}" in step for step in steps)
    assert any(step.startswith("SEARCH archived_events USING PRIMARY KEY") for step in steps)


def test_every_other_statement_can_be_prepared_too(database: Database) -> None:
    for module, names in WHOLE.items():
        for name in names.split():
            assert plan(database, module._SQL[name])


@pytest.mark.parametrize("name", ["latest", "tally"])
def test_looking_back_reads_only_what_the_index_on_run_time_finds(database: Database, name: str) -> None:
    steps = plan(database, sqlite_outcomes._SQL[name])
    assert [step for step in steps if "archived_events_schedule (schedule_id=?" in step]
