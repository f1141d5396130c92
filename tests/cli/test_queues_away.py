"""Redis is down, MongoDB is up: what is planned and what was done can be read, and nothing is half done."""

import re
from dataclasses import replace
from secrets import token_hex

import pytest

from rrcli.cli.exit_codes import ExitCode
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.cli.conftest import Run
from tests.contract.samples import ended, event, schedule, schedule_id
from tests.support.servers import free_port

NUMBER = 1


@pytest.fixture(autouse=True)
def _without_redis(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger with a schedule and its events, and queues that nobody answers for."""
    database, port = f"away-{token_hex(4)}", free_port()
    for name, value in (("URI", mongo_uri), ("DATABASE", database)):
        monkeypatch.setenv(f"MONGO_{name}", value)
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}/0")
    base = Settings()
    with open_repository(replace(base, mongo=replace(base.mongo, uri=mongo_uri, database=database))) as store:
        store.init()
        store.schedules.add([schedule(NUMBER)])
        store.events.add([event(1), event(2)])
        store.events.archive([ended(event(1))], event(1).due)


@pytest.mark.parametrize(
    "reading",
    [
        ["schedule", "list"],
        ["schedule", "show", schedule_id(NUMBER)],
        ["schedule", "export"],
        ["preview", schedule_id(NUMBER)],
        ["events", "pending", schedule_id(NUMBER)],
        ["events", "history", schedule_id(NUMBER)],
        ["calendar", "list"],
    ],
    ids=" ".join,
)
def test_what_only_reads_works(run: Run, reading: list[str]) -> None:
    result = run(*reading)
    assert result.code == ExitCode.OK, result.err


@pytest.mark.parametrize(
    "changing",
    [
        [
            "schedule",
            "create",
            "--name",
            "b",
            "--rrule",
            "FREQ=DAILY",
            "--callback-url",
            "https://a.example/",
        ],
        ["schedule", "pause", schedule_id(NUMBER)],
        ["schedule", "trigger", schedule_id(NUMBER)],
        ["schedule", "delete", schedule_id(NUMBER), "--yes"],
        ["events", "replay", event(1).id],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_what_changes_something_is_refused_as_a_whole(run: Run, changing: list[str]) -> None:
    before = run("schedule", "list", "-o", "json").out, run("events", "history", "-o", "json").out
    result = run(*changing)
    assert result.code == ExitCode.STORE_UNREACHABLE
    assert re.search(r"Error: redis 127\.0\.0\.1:\d+/0 does not answer", result.err)
    assert (run("schedule", "list", "-o", "json").out, run("events", "history", "-o", "json").out) == before


def test_doctor_says_which_server_is_away(run: Run) -> None:
    result = run("doctor")
    assert result.code == ExitCode.FAILED
    assert re.search(r"✗ store +redis 127\.0\.0\.1:\d+/0 does not answer", result.out)
