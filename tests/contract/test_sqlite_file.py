"""The embedded store's file: how it is made, refused, and what happens when it is damaged, full or taken."""

import errno
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from rrcli.core.models import EventState, Kind
from rrcli.errors import SchedulerError, StoreCorrupt, StoreUnavailable
from rrcli.repository import readable, sqlite_database
from rrcli.repository.sqlite import SqliteRepository
from rrcli.repository.sqlite_database import Database
from tests.contract.samples import NOON, after, event, schedule, schedule_id
from tests.support.read_only import read_only


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some" / "folder" / "store.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    made = Database(path)
    made.init()
    yield made
    made.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refused(path: Path, kind: type[SchedulerError], cause: type[Exception] | None = None) -> SchedulerError:
    with pytest.raises(kind) as caught:
        SqliteRepository.open(path)
    assert caught.value.hint
    assert cause is None or isinstance(caught.value.__cause__, cause)
    return caught.value


def test_folder_and_file_are_made_for_this_user_only(path: Path) -> None:
    with SqliteRepository.open(path) as repository:
        repository.schedules.add([schedule(1)])
        files = {file.name: mode(file) for file in path.parent.iterdir()}

    assert mode(path.parent) == 0o700
    assert files == dict.fromkeys(["store.db", "store.db-wal", "store.db-shm"], 0o600)


@pytest.mark.parametrize(
    ("kind", "waits"),
    [(Kind.SCHEDULED, False), (Kind.MANUAL, True), (Kind.REPLAY, True), (Kind.BACKFILL, True)],
)
def test_what_a_person_asked_for_is_on_disk_before_it_is_answered(
    path: Path, kind: Kind, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing makes it again after a loss of power, as the rule does with its occurrences."""
    asked: list[bool] = []
    write = Database.write

    def noted(database: Database, *, durable: bool = True) -> AbstractContextManager[sqlite3.Connection]:
        asked.append(durable)
        return write(database, durable=durable)

    with SqliteRepository.open(path) as repository:
        monkeypatch.setattr(Database, "write", noted)
        repository.events.add([event(1), event(2, kind=kind)])

    assert asked == [waits]


def test_commits_are_on_disk_before_they_are_answered_and_nobody_else_waits_for_that(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = sqlite_database._sync

    def noted(path: str) -> None:
        other.execute("BEGIN IMMEDIATE")  # the write lock is free
        other.execute("ROLLBACK")
        sync(path)
        synced.append(path)

    with closing(sqlite3.connect(database.path, isolation_level=None, timeout=0)) as other:
        monkeypatch.setattr(sqlite_database, "_sync", noted)
        with database.write(durable=False) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            note_value(connection, 1)
        assert synced == []
        for number in (2, 3):
            with database.write() as connection:
                note_value(connection, number)

    log, folder = f"{database.path}-wal", str(database.path.parent)
    assert synced == [log, folder, log]  # a new log needs its place in the folder, too


def test_a_disk_that_fails_is_said_before_anything_is_answered(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(sqlite_database, "_sync", fail)
    with pytest.raises(StoreUnavailable) as caught, database.write() as connection:
        note_value(connection, 1)
    assert "disk" in str(caught.value.hint)


def note_value(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("INSERT INTO meta (key, value) VALUES (?, 'x')", (f"key {number}",))


def test_the_log_is_kept_short_by_writes_that_nobody_waits_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_database, "_LOG_BYTES", 200_000)
    monkeypatch.setattr(sqlite_database, "_MOST_LOG_BYTES", 1_000_000)

    def fill(durable: bool, most: int) -> None:
        """Write until the log has been moved, which shows in the database's size."""
        before, number = database.path.stat().st_size, 0
        while database.path.stat().st_size == before:
            size = log.stat().st_size
            assert size <= most
            with database.write(durable=durable) as connection:
                values = (f"{durable} {number}", "x" * 20_000)
                connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", values)
            number += 1
        seen.append(size)

    seen: list[int] = []
    log = Path(f"{database.path}-wal")
    fill(durable=True, most=250_000)
    fill(durable=False, most=1_050_000)
    assert seen[0] > 150_000
    assert seen[1] > 900_000


def test_a_log_that_cannot_be_moved_fails_no_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_database, "_LOG_BYTES", 0)

    def fail(**_: object) -> AbstractContextManager[sqlite3.Connection]:
        raise StoreUnavailable("The disk is full.")

    with database.write() as connection:
        note_value(connection, 1)
        monkeypatch.setattr(database, "_borrowed", fail)
    monkeypatch.undo()
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM meta WHERE key = 'key 1'").fetchone() == (1,)


@pytest.mark.parametrize("number", [0, 1, 2, 127, 128, 129, 300])
def test_many_rows_are_written_in_order_and_counted(database: Database, number: int) -> None:
    insert = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
    rows = [(f"{each:03}", str(each)) for each in range(number)]
    with database.write() as connection:
        assert sqlite_database.write_rows(connection, insert, [*rows, *rows]) == number
    with database.read() as connection:
        found = connection.execute("SELECT key, value FROM meta WHERE key < 'a' ORDER BY key").fetchall()
    assert found == rows


def test_an_sqlite_that_is_too_old_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))

    error = refused(path, StoreUnavailable)

    assert "3.35" in error.message
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    error = refused(tmp_path / "file" / "store.db", StoreUnavailable, OSError)

    assert "file" in error.message
    assert error.retryable


def test_a_folder_in_place_of_the_file_is_unavailable(tmp_path: Path) -> None:
    refused(tmp_path, StoreUnavailable, OSError)


def test_a_file_that_cannot_be_written_is_unavailable(path: Path) -> None:
    SqliteRepository.open(path).close()

    with read_only(path.parent):
        refused(path, StoreUnavailable)


def test_a_file_that_is_no_database_is_refused_and_kept(path: Path) -> None:
    path.parent.mkdir(parents=True)
    content = b"This is a letter, and somebody wants to keep it.\n" * 100
    path.write_bytes(content)

    refused(path, StoreCorrupt, sqlite3.DatabaseError)

    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_kept(path: Path) -> None:
    path.parent.mkdir(parents=True)
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE letters (text)")
    other.close()
    content = path.read_bytes()

    error = refused(path, StoreCorrupt)

    assert "another program" in error.message
    assert path.read_bytes() == content


def test_a_newer_schema_is_refused_and_kept(database: Database) -> None:
    with database.write() as connection:
        connection.execute(f"PRAGMA user_version = {sqlite_database.SCHEMA_VERSION + 1}")
    database.close()
    content = database.path.read_bytes()

    error = refused(database.path, StoreCorrupt)

    assert str(sqlite_database.SCHEMA_VERSION + 1) in error.message
    assert database.path.read_bytes() == content


def test_the_schema_has_the_version_that_the_program_knows(database: Database) -> None:
    with database.read() as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()

    assert version == sqlite_database.SCHEMA_VERSION


@pytest.mark.parametrize(
    "before",
    [
        "DROP INDEX schedules_due",
        "DROP INDEX queue_place; CREATE INDEX queue_place ON queue (due)",
        "DROP TRIGGER schedule_tagged",
    ],
)
def test_what_a_development_version_did_not_index_is_made_at_the_start(path: Path, before: str) -> None:
    SqliteRepository.open(path).close()
    complete = schema_of(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(before)
    assert schema_of(path) != complete

    SqliteRepository.open(path).close()

    assert schema_of(path) == complete


@pytest.mark.parametrize(
    ("before", "lacks"),
    [
        ("DROP TABLE idempotency_keys", "lacks idempotency_keys."),
        ("ALTER TABLE heartbeats DROP COLUMN detail", "lacks heartbeats.detail."),
    ],
)
def test_tables_of_a_development_version_are_refused_with_what_to_do(
    path: Path, before: str, lacks: str
) -> None:
    SqliteRepository.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(before)
    found = schema_of(path)

    error = refused(path, StoreCorrupt)

    assert error.message.endswith(lacks)
    assert error.hint
    assert "rrcli export" in error.hint
    assert schema_of(path) == found


def schema_of(path: Path) -> set[tuple[str, str]]:
    """What the file has, as SQLite keeps it."""
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


@pytest.mark.parametrize("damage", ["overwritten", "cut off"])
def test_a_damaged_file_is_named_as_such(path: Path, damage: str) -> None:
    with SqliteRepository.open(path) as repository:
        repository.schedules.add([schedule(number, body="x" * 2_000) for number in range(200)])
    size = path.stat().st_size
    with path.open("r+b") as file:
        if damage == "cut off":
            file.truncate(size // 2)
        else:
            file.seek(4_096)
            file.write(b"\xa5" * (size - 4_096))

    with pytest.raises(StoreCorrupt) as caught, SqliteRepository.open(path) as repository:
        repository.schedules.find(limit=1_000)

    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
    assert caught.value.hint


def test_a_file_that_was_deleted_is_not_begun_anew(path: Path) -> None:
    with SqliteRepository.open(path) as repository:
        path.unlink()

        with pytest.raises(StoreUnavailable):
            repository.ping()

    assert not path.exists()


def test_a_full_disk_undoes_the_batch_and_the_next_one_may_succeed(path: Path) -> None:
    database = Database(path)
    database.init()
    with SqliteRepository.open(path) as repository:
        few, many = [schedule(1)], [schedule(number, body="x" * 10_000) for number in range(2, 100)]
        repository.schedules.add(few)
        limit_pages(repository, 30)
        with pytest.raises(StoreUnavailable) as caught:
            repository.schedules.add(many)
        assert "full" in caught.value.message
        assert "room" in str(caught.value.hint)
        assert repository.schedules.find(limit=9).total == 1

        limit_pages(repository, 1_000_000)
        repository.schedules.add(many)
        assert repository.schedules.find(limit=9).total == 99
    database.close()


def limit_pages(repository: SqliteRepository, pages: int) -> None:
    """As a full disk would: the file may not grow. The one idle connection is used again."""
    with repository._database.write() as connection:
        connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_store_that_turned_read_only_is_unavailable(path: Path) -> None:
    with SqliteRepository.open(path) as repository:
        with repository._database.write() as connection:
            connection.execute("PRAGMA query_only = 1")

        with pytest.raises(StoreUnavailable) as caught:
            repository.schedules.add([schedule(1)])

    assert "write" in str(caught.value.hint)


def test_a_writer_that_waited_too_long_is_told_who_may_hold_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_database, "_BUSY_TIMEOUT_SECONDS", 0.01)
    holder = Database(path)
    holder.init()
    with SqliteRepository.open(path) as repository, holder.write():
        with pytest.raises(StoreUnavailable) as caught:
            repository.schedules.add([schedule(1)])
        assert "process" in str(caught.value.hint)
        assert repository.schedules.find(limit=9).total == 0
    holder.close()


@pytest.mark.parametrize("status", ["{", "{}}", '[[1,"unheard_of","x"]]', "[[null]]", "[]"])
def test_an_event_that_cannot_be_read_is_named_in_the_log_and_stops_no_other(
    path: Path, status: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readable, "_said", set())
    bad, good = event(1), event(2)
    with SqliteRepository.open(path) as repository:
        repository.events.add([bad, good])
        with repository._database.write() as connection:
            connection.execute("UPDATE events SET status = ? WHERE id = ?", (status, bad.id))

        assert repository.events.get([bad.id, good.id]) == {good.id: good}
        assert repository.events.live(after_id="", limit=1) == [good]
        repository.events.dispatched([bad.id, good.id], NOON, due_by=after(9))
        assert repository.events.get([good.id])[good.id].state is EventState.WORKER
    assert [getattr(each, "document_id", "") for each in caplog.records] == [bad.id]


@pytest.mark.parametrize("document", ["{}", "[]", '{"surplus":1}'])
def test_a_schedule_that_cannot_be_read_is_named_in_the_log_and_stops_no_other(
    path: Path, document: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readable, "_said", set())
    with SqliteRepository.open(path) as repository:
        repository.schedules.add([schedule(1), schedule(2)])
        with repository._database.write() as connection:
            connection.execute("UPDATE schedules SET document = ? WHERE id = ?", (document, schedule_id(1)))

        assert repository.schedules.get([schedule_id(1), schedule_id(2)]) == {schedule_id(2): schedule(2)}
        assert repository.schedules.due(NOON + timedelta(days=99), 1) == [schedule(2)]
    assert [getattr(each, "document_id", "") for each in caplog.records] == [schedule_id(1)]


def test_a_conflict_leaves_nothing_of_its_batch(path: Path) -> None:
    with SqliteRepository.open(path) as repository:
        repository.schedules.add([schedule(2)])
        with pytest.raises(SchedulerError, match=schedule_id(2)):
            repository.schedules.add([schedule(1), schedule(2), schedule(3)])
        with pytest.raises(SchedulerError, match=schedule_id(4)):
            repository.schedules.add([schedule(4), schedule(4)])

        assert repository.schedules.find(limit=9).items == (schedule(2),)


def test_a_closed_store_says_so(path: Path) -> None:
    repository = SqliteRepository.open(path)
    repository.close()

    with pytest.raises(StoreUnavailable, match="closed"):
        repository.queues.head()


def test_closing_does_not_disturb_an_operation_under_way(database: Database) -> None:
    with database.write() as connection:
        database.close()
        connection.execute("INSERT INTO meta (key, value) VALUES ('a', 'b')")

    with pytest.raises(StoreUnavailable), database.read():
        pass


def test_heartbeats_of_the_killed_are_not_kept_for_ever(path: Path) -> None:
    from rrcli.repository.base import Heartbeat

    def beat(instance: str, seen_seconds: float) -> Heartbeat:
        return Heartbeat(
            daemon="worker",
            instance=instance,
            host="h",
            pid=1,
            started_at=NOON,
            seen_at=after(seen_seconds),
            detail={},
        )

    with SqliteRepository.open(path) as repository:
        repository.heartbeats.beat(beat("killed", 0))
        repository.heartbeats.beat(beat("alive", 8 * 86_400))

        assert [each.instance for each in repository.heartbeats.list(NOON)] == ["alive"]


def in_fork(action: Callable[[], None]) -> int | None:
    """Run in a copy of this process; its exit code."""
    process = get_context("fork").Process(target=action)
    process.start()
    process.join(30)
    return process.exitcode


def test_a_forked_process_uses_connections_of_its_own(path: Path) -> None:
    with SqliteRepository.open(path) as repository:
        repository.schedules.add([schedule(1)])

        def child() -> None:
            assert repository.schedules.find(limit=9).total == 1
            repository.schedules.add([schedule(2)])
            repository.close()

        assert in_fork(child) == 0
        assert repository.schedules.find(limit=9).total == 2


def test_what_a_killed_writer_had_begun_is_undone(database: Database) -> None:
    reader, writer = os.pipe()

    def child() -> None:
        with database.write() as connection:
            connection.execute("INSERT INTO meta (key, value) VALUES ('half', 'done')")
            os.write(writer, b"!")
            time.sleep(60)

    process = get_context("fork").Process(target=child)
    process.start()
    os.read(reader, 1)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(30)
    os.close(reader)
    os.close(writer)

    with database.write() as connection:
        assert connection.execute("SELECT count(*) FROM meta").fetchone() == (0,)


def test_init_beside_an_open_connection_keeps_its_locks(path: Path) -> None:
    """Without its locks, another process that opens and closes the file would remove the log."""
    script = (
        "import sys; from pathlib import Path; from rrcli.repository.sqlite import SqliteRepository\n"
        "with SqliteRepository.open(Path(sys.argv[1])) as other: other.init()"
    )
    with SqliteRepository.open(path) as opened:
        opened.init()
        opened.schedules.add([schedule()])
        subprocess.run([sys.executable, "-c", script, str(path)], check=True)
        assert path.with_name("store.db-wal").exists()
        with SqliteRepository.open(path) as second:
            assert second.schedules.find(limit=1).total == 1
