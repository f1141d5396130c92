"""What a store says of itself: versions, clocks, indexes, damage."""

import sqlite3
from datetime import timedelta
from pathlib import Path

from rrcli.clock import SystemClock
from rrcli.repository.base import Repository
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings


def test_every_server_has_a_version_that_is_supported(repository: Repository) -> None:
    servers = repository.inspection.servers()
    assert {server.name for server in servers} in ({"SQLite"}, {"MongoDB", "Redis"}, {"MongoDB", "Valkey"})
    assert all(server.supported and server.version > "" for server in servers)


def test_the_clocks_of_servers_are_told_in_utc(repository: Repository) -> None:
    now = SystemClock().now()
    for server in repository.inspection.servers():
        assert server.time is None or abs(server.time - now) < timedelta(minutes=1)


def test_a_fresh_store_lacks_nothing_and_is_sound(repository: Repository) -> None:
    repository.init()
    assert repository.inspection.missing_indexes() == []
    assert repository.inspection.damage() == []


def test_an_index_that_was_dropped_is_missed(repository: Repository, store: Settings) -> None:
    repository.init()
    if store.mongo.uri:
        from pymongo import MongoClient

        with MongoClient(store.mongo.uri) as client:
            client[store.mongo.database]["schedules"].drop_index("name_1__id_1")
        assert repository.inspection.missing_indexes() == ["schedules.name_1__id_1"]
    else:
        connection = sqlite3.connect(f"{store.embedded.data_dir}/rrule-scheduler.db")
        connection.execute("DROP INDEX schedules_name")
        connection.close()
        assert repository.inspection.missing_indexes() == ["schedules_name"]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with SqliteRepository.open(path) as repository:
        assert repository.inspection.damage() == []
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    (root,) = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'schedules_name'"
    ).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * 100)
    with SqliteRepository.open(path) as repository:
        assert repository.inspection.damage() != []
