"""`db check` and `db purge`."""

import json
from datetime import timedelta

import pytest

from rrcli.core.ids import occurrence_id
from rrcli.core.models import Event, EventState, Status
from rrcli.repository.sqlite import SqliteRepository
from tests.cli.conftest import NOW, on_terminal


@pytest.fixture
def store(tmp_path):
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        yield repository


def event(schedule_id: str, ago: timedelta, state: EventState) -> Event:
    then = NOW - ago
    return Event(
        id=occurrence_id(schedule_id, then),
        schedule_id=schedule_id,
        run_time=then,
        due=then,
        revision=1,
        status=(Status(time=then, status=state, message="as it was"),),
        created_at=then,
    )


@pytest.fixture
def ended(store, create):
    """2,500 events that ended 1 to 2,500 hours ago."""
    schedule_id = create("job", "--at", "2027-01-01T00:00:00Z")
    for hours in range(1, 2501):
        past = event(schedule_id, timedelta(hours=hours), EventState.COMPLETED)
        store.events.archive([past], past.run_time)
    return schedule_id


def test_a_sound_store_is_0(run, create):
    create("job", rule="FREQ=MINUTELY")
    result = run("db", "check")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("All is well: ")
    assert run("db", "check", "-o", "json").out.strip() == "[]"


def test_what_belongs_nowhere_is_found(run, store, create):
    stray = event("a" * 24, timedelta(hours=1), EventState.READY)
    lost = event(create("job", "--at", "2027-01-01T00:00:00Z"), timedelta(hours=2), EventState.READY)
    store.events.add([stray, lost])
    result = run("db", "check", "-o", "json")
    assert result.code == 1
    found = {(each["kind"], each["subject"]) for each in json.loads(result.out)}
    assert found == {("orphan", stray.id), ("unqueued", stray.id), ("unqueued", lost.id)}
    assert all(each["mend"] for each in json.loads(result.out))


def test_purge_deletes_what_ended_before_and_nothing_else(run, ended, store):
    result = run("db", "purge", "--older-than", "500h", "--yes", "-o", "json")
    assert result.code == 0
    assert json.loads(result.out)["deleted"] == 2000
    assert store.events.history(ended, limit=1).total == 500


def test_purge_asks_and_refuses_where_it_cannot_ask(run, ended, store):
    result = run("db", "purge", "--before", "2026-11-01T00:00:00Z")
    assert result.code == 2
    assert "--yes" in result.err
    assert store.events.history(ended, limit=1).total == 2500
    code, shown = on_terminal("db", "purge", "--before", "2026-11-01T00:00:00Z", typed="n\n")
    assert code == 1
    assert "Nothing was deleted." in shown
    assert store.events.history(ended, limit=1).total == 2500


def test_purge_needs_one_time_in_the_past(run):
    assert run("db", "purge", "--yes").code == 2
    assert run("db", "purge", "--older-than", "1d", "--before", "2026-01-01", "--yes").code == 2
    assert run("db", "purge", "--before", "2030-01-01T00:00:00Z", "--yes").code == 4


def test_a_replay_of_many_asks_and_refuses_where_it_cannot_ask(run, create):
    create("busy", rule="DTSTART:20261123T000000Z\nRRULE:FREQ=MINUTELY")
    line = ("schedule", "replay", "busy", "--from", "2026-11-23T00:00:00Z", "--to", "now")
    result = run(*line)
    assert result.code == 2
    assert "720 calls need a yes" in result.err
    assert run(*line, "--dry-run").code == 0
    assert run(*line, "--yes").code == 0
