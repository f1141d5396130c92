"""`doctor --server`: what is wrong on the way to a service, and with it."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from rrcli.cli.main import main
from rrcli.cli.state import State
from rrcli.clock import SystemClock
from rrcli.operations import api_keys
from rrcli.operations.context import Context
from rrcli.operations.status import DAEMONS
from rrcli.remote.client import Client
from rrcli.repository.base import Heartbeat
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings
from tests.support.clock import FakeClock
from tests.support.receiver import receiver
from tests.support.served import served

Doctor = Callable[..., tuple[int, dict[str, dict[str, str]]]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Context]:
    with SqliteRepository.open(tmp_path / "served.db") as repository:
        yield Context(repository=repository, clock=SystemClock(), settings=Settings())


@pytest.fixture
def server(store: Context) -> Iterator[str]:
    now = store.now()
    for each in DAEMONS:
        store.repository.heartbeats.beat(
            Heartbeat(daemon=each, instance=each, host="h", pid=1, started_at=now, seen_at=now, detail={})
        )
    with served(store) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    def call(
        server: str, *arguments: str, state: State | None = None
    ) -> tuple[int, dict[str, dict[str, str]]]:
        capsys.readouterr()
        code = main(["doctor", "-o", "json", "--server", server, *arguments], state or State())
        return int(code), {each["check"]: each for each in json.loads(capsys.readouterr().out)}

    return call


def test_a_sound_service_is_0_with_its_release_clock_daemons_and_key(doctor, server):
    code, found = doctor(server)
    assert code == 0
    assert {each["verdict"] for each in found.values()} == {"ok"}
    assert set(found) == {
        *("settings", "connection", "server", "clock", "store", "versions", "API key", "daemons", "events")
    }


@pytest.mark.parametrize("scope", ["read", "write", "admin"])
def test_the_scope_of_the_key_is_told(doctor, server, store, scope):
    _, key = api_keys.create(store, name="a", scope=scope)
    code, found = doctor(server, "--api-key", key)
    assert (code, found["API key"]["message"]) == (0, f"scope {scope}")


@pytest.mark.parametrize("given", [(), ("--api-key", "rrk_4f0c1d2e3a4b_" + "x" * 43)], ids=["none", "wrong"])
def test_a_key_that_is_missing_or_wrong_is_a_problem_with_its_mend(doctor, server, store, given):
    api_keys.create(store, name="a", scope="read")
    code, found = doctor(server, *given)
    assert (code, found["API key"]["verdict"]) == (1, "problem")
    assert "RRCLI_API_KEY" in found["API key"]["mend"]
    assert found["server"]["verdict"] == "ok"


def test_a_key_for_feeds_only_is_a_problem(doctor, server, store):
    _, key = api_keys.create(store, name="a", scope="feed")
    code, found = doctor(server, "--api-key", key)
    assert code == 1
    assert "feed" in found["API key"]["message"]


def test_a_server_that_is_away_is_a_finding_not_an_error(doctor):
    code, found = doctor("http://127.0.0.1:1")
    assert (code, found["server"]["verdict"]) == (1, "problem")
    assert "config show" in found["server"]["mend"]


def test_a_certificate_that_nobody_vouches_for_is_a_problem_with_its_mend(doctor):
    with receiver(tls=True) as other:
        code, found = doctor(other.url("").rstrip("/"))
    assert code == 1
    assert "SSL_CERT_FILE" in found["server"]["mend"]


def test_clocks_that_differ_are_a_problem(doctor, server):
    clock = FakeClock(SystemClock().now() + timedelta(minutes=5))
    code, found = doctor(server, state=State(clock=clock))
    assert (code, found["clock"]["verdict"]) == (1, "problem")
    assert "behind this machine's" in found["clock"]["message"]


def test_daemons_that_do_not_run_there_are_a_problem(doctor, store):
    with served(store) as port:
        code, found = doctor(f"http://127.0.0.1:{port}")
    assert (code, found["daemons"]["verdict"]) == (1, "problem")


def test_another_release_is_a_warning(doctor, server, monkeypatch):
    monkeypatch.setattr("rrcli.remote.doctor.__version__", "0.0.1")
    code, found = doctor(server)
    assert (code, found["versions"]["verdict"]) == (0, "warning")


def test_what_is_no_scheduler_is_a_problem(doctor):
    def connect(_: object) -> Client:
        return Client("http://localhost", transport=httpx.MockTransport(lambda _: httpx.Response(404)))

    code, found = doctor("http://localhost", state=State(connect=connect))
    assert code == 1
    assert "Without /api" in found["server"]["mend"]


def test_a_key_sent_in_the_clear_to_another_machine_is_a_problem(doctor):
    def connect(_: object) -> Client:
        return Client("http://192.0.2.1", transport=httpx.MockTransport(lambda _: httpx.Response(503)))

    code, found = doctor("http://192.0.2.1", "--api-key", "rrk_x", state=State(connect=connect))
    assert (code, found["connection"]["verdict"]) == (1, "problem")
