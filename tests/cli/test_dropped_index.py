"""An index that somebody dropped: found and named, never mended without a word."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from tests.cli.conftest import Run

INDEX = "schedules.name_1__id_1"


@pytest.fixture
def drop_in_mongo(
    mongo_uri: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run
) -> Iterator[Callable[[], None]]:
    """Drops an index of the store on a real server, which commands use from now on; it is ready before."""
    database = f"dropped_{tmp_path.name[-40:]}"
    monkeypatch.setenv("MONGO_URI", mongo_uri)
    monkeypatch.setenv("MONGO_DATABASE", database)
    monkeypatch.setenv("REDIS_URL", redis_url)
    with MongoClient[dict[str, object]](mongo_uri) as client:
        assert run("db", "init").code == 0
        yield lambda: client[database]["schedules"].drop_index("name_1__id_1")
        client.drop_database(database)


@pytest.fixture
def drop_in_file(run: Run, tmp_path: Path) -> Callable[[], None]:
    """Drops an index of the embedded store, which exists."""
    assert run("db", "init").code == 0

    def drop() -> None:
        connection = sqlite3.connect(tmp_path / "data" / "rrule-scheduler.db")
        connection.execute("DROP INDEX schedules_name")
        connection.close()

    return drop


@pytest.mark.servers
def test_doctor_names_it_and_its_mend_and_the_mend_helps(run: Run, drop_in_mongo: Callable[[], None]) -> None:
    def indexes() -> dict[str, str]:
        found = json.loads(run("doctor", "-o", "json").out)
        return next(each for each in found if each["check"] == "indexes")

    assert indexes()["verdict"] == "ok"
    drop_in_mongo()
    # A look mends nothing.
    assert indexes() == indexes()
    assert indexes()["verdict"] == "problem"
    assert indexes()["message"] == f"missing: {INDEX}"
    assert indexes()["mend"].startswith("rrcli db init")
    assert run("db", "init").code == 0
    assert indexes()["verdict"] == "ok"


@pytest.mark.servers
def test_db_check_names_it_and_is_1_until_it_is_there(run: Run, drop_in_mongo: Callable[[], None]) -> None:
    assert run("db", "check").code == 0
    drop_in_mongo()
    result = run("db", "check", "-o", "json")
    (found,) = json.loads(result.out)
    assert (result.code, found["kind"], found["subject"]) == (1, "index", INDEX)
    assert found["mend"].startswith("rrcli db init")
    assert run("db", "init").code == 0
    assert run("db", "check").code == 0


@pytest.mark.parametrize("command", [("db", "check"), ("doctor",), ("db", "init"), ("schedule", "list")])
def test_the_file_is_mended_by_the_command_that_opens_it_which_says_so(
    run: Run, drop_in_file: Callable[[], None], command: tuple[str, ...]
) -> None:
    drop_in_file()
    said = run(*command).err
    assert "The store lacked what it is read by, and has it again: schedules_name" in said
    assert "lacked" not in run(*command).err
    assert run("db", "check", "-o", "json").out.strip() == "[]"


def test_an_index_of_the_file_that_goes_while_it_is_checked_is_named(
    run: Run, drop_in_file: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rrcli.repository.sqlite_inspection import SqliteInspection

    look = SqliteInspection.damage

    def look_while_it_goes(inspection: SqliteInspection) -> list[str]:
        drop_in_file()
        return look(inspection)

    monkeypatch.setattr(SqliteInspection, "damage", look_while_it_goes)
    result = run("db", "check", "-o", "json")
    (found,) = json.loads(result.out)
    assert (result.code, found["kind"], found["subject"]) == (1, "index", "schedules_name")
