"""`doctor`: each finding with its mend, and the exit code."""

import json

import pytest

from rrcli.core.models import Event, EventState, Status
from rrcli.operations.status import DAEMONS
from rrcli.repository.base import Heartbeat, QueueEntry, Server
from rrcli.repository.sqlite import SqliteRepository
from tests.cli.conftest import NOW


@pytest.fixture
def store(tmp_path):
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        yield repository


@pytest.fixture
def alive(store):
    for daemon in DAEMONS:
        store.heartbeats.beat(
            Heartbeat(daemon=daemon, instance=daemon, host="h", pid=1, started_at=NOW, seen_at=NOW, detail={})
        )


@pytest.fixture
def doctor(run):
    def call(*arguments):
        result = run("doctor", "-o", "json", *arguments)
        return result.code, {each["check"]: each for each in json.loads(result.out)}

    return call


def test_a_sound_installation_is_0_and_says_so(run, alive, doctor):
    code, found = doctor()
    assert code == 0
    assert {each["verdict"] for each in found.values()} <= {"ok", "warning"}
    assert set(found) == {
        *("settings", "data folder", "time zones", "store", "versions", "indexes"),
        *("daemons", "events", "API keys"),
    }
    warnings = sum(each["verdict"] == "warning" for each in found.values())
    assert run("doctor").err.startswith(f"{warnings} warning" if warnings else "All is well.")


def test_daemons_that_do_not_run_are_a_problem_with_its_mend(doctor, store):
    code, found = doctor()
    assert code == 1
    assert found["daemons"]["verdict"] == "problem"
    assert "rrcli up" in found["daemons"]["mend"]


def test_clocks_that_differ_are_a_problem(doctor, alive, monkeypatch):
    late = Server(name="Redis", version="7.2", least="6.2", supported=True, time=NOW.replace(hour=11))
    monkeypatch.setattr("rrcli.repository.sqlite_inspection.SqliteInspection.servers", lambda _: [late])
    code, found = doctor()
    assert code == 1
    assert found["clock"]["message"] == "this machine and Redis differ by 3600.0 s"


def test_a_server_that_is_too_old_is_a_problem(doctor, alive, monkeypatch):
    old = Server(name="MongoDB", version="4.4", least="6.0", supported=False)
    monkeypatch.setattr("rrcli.repository.sqlite_inspection.SqliteInspection.servers", lambda _: [old])
    code, found = doctor()
    assert code == 1
    assert found["versions"]["mend"] == "Update MongoDB to 6.0 or later"


def test_an_event_that_is_due_for_long_is_a_problem(doctor, alive, store, create):
    schedule_id = create("job")
    due = NOW.replace(hour=10)
    event = Event(
        id="6" * 24,
        schedule_id=schedule_id,
        run_time=due,
        due=due,
        revision=1,
        status=(Status(time=due, status=EventState.READY, message="Queued"),),
        created_at=due,
    )
    store.events.add([event])
    store.queues.add([QueueEntry(event_id=event.id, due=due)])
    code, found = doctor()
    assert code == 1
    assert "7,200 s" in found["events"]["message"]


def test_a_store_that_is_away_is_a_finding_not_an_error(doctor, monkeypatch):
    monkeypatch.setenv("MONGO_URI", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    code, found = doctor()
    assert code == 1
    assert found["store"]["verdict"] == "problem"
    assert "time zones" in found


def test_an_open_folder_is_a_warning_and_warnings_are_0(doctor, alive, tmp_path):
    (tmp_path / "data").chmod(0o755)
    code, found = doctor()
    assert code == 0
    assert found["data folder"]["verdict"] == "warning"
    assert found["data folder"]["mend"].startswith("chmod 700 ")


def test_a_config_file_with_secrets_that_others_may_read_is_a_warning(doctor, alive, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("client:\n  api_key: rrk_4f0c1d2e3a4b_x\n")
    file.chmod(0o644)
    assert doctor("--config", str(file))[1]["config file"]["verdict"] == "warning"
    file.chmod(0o600)
    assert doctor("--config", str(file))[1]["config file"]["verdict"] == "ok"


def test_an_api_for_other_machines_without_keys_is_a_problem(doctor, alive, monkeypatch):
    monkeypatch.setenv("API_HOST", "0.0.0.0")
    code, found = doctor()
    assert code == 1
    assert "apikey create" in found["API keys"]["mend"]
