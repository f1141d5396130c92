"""A real service behind a proxy that loses its answers: what was asked for is done once."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rrcli.cli.main import main
from rrcli.cli.state import State
from rrcli.operations.context import Context
from rrcli.remote.client import Client
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings
from tests.cli.conftest import Result
from tests.support.clock import FakeClock
from tests.support.lossy_proxy import LossyProxy, lossy_proxy
from tests.support.served import served


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Context]:
    with SqliteRepository.open(tmp_path / "served.db", clock) as repository:
        yield Context(repository=repository, clock=clock, settings=Settings())


@pytest.fixture
def proxy(store: Context) -> Iterator[LossyProxy]:
    with served(store) as port, lossy_proxy("127.0.0.1", port) as proxy:
        yield proxy


@pytest.fixture
def lossy(
    proxy: LossyProxy, clock: FakeClock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run a command line whose first change gets no answer."""
    real = Client._change

    def losing(self: Client, *arguments: object) -> object:
        proxy.lose_next_reply()
        return real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Client, "_change", losing)

    def call(*arguments: str) -> Result:
        server = f"http://{proxy.address}"
        state = State(clock=clock, connect=lambda _: Client(server, wait=lambda _: None))
        capsys.readouterr()
        code = main([*arguments, "--server", server], state)
        captured = capsys.readouterr()
        return Result(int(code), captured.out, captured.err)

    return call


CREATE = ("schedule", "create", "--name", "job", "--every", "1h", "--callback-url", "http://127.0.0.1:9/")


def test_a_schedule_whose_creation_got_no_answer_is_made_once(lossy, store):
    result = lossy(*CREATE, "-o", "ids")
    assert result.code == 0, result.err
    (made,) = store.repository.schedules.find(limit=10).items
    assert result.out.strip() == made.id


def test_a_trigger_that_got_no_answer_runs_once(lossy, store):
    lossy(*CREATE)
    assert lossy("schedule", "trigger", "job").code == 0
    waiting = store.repository.events.pending(None, limit=10).items
    assert [event.kind for event in waiting].count("manual") == 1


def test_a_replay_that_got_no_answer_calls_once(lossy, store):
    url, rule = "http://127.0.0.1:9/", "DTSTART:20261123T000000Z\nRRULE:FREQ=HOURLY"
    lossy("schedule", "create", "--name", "job", "--rrule", rule, "--callback-url", url)
    (job,) = store.repository.schedules.find(limit=1).items
    line = ("schedule", "replay", "job", "--from", "2026-11-23T02:00:00Z", "--to", "2026-11-23T06:00:00Z")
    before = store.repository.events.pending(job.id, limit=100).total
    result = lossy(*line, "-o", "json")
    assert result.code == 0, result.err
    after = store.repository.events.pending(job.id, limit=100).total
    assert after - before == json.loads(result.out)["planned"] == 4


def test_of_several_skips_that_got_no_answer_only_the_next_one_is_taken_out(lossy, store):
    lossy(*CREATE)
    assert lossy("schedule", "skip", "job").code == 0
    (job,) = store.repository.schedules.find(limit=1).items
    assert len(job.skips) == 1
