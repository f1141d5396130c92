"""The loop: starts, waits, wake-ups, outages, heartbeats and stops."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from rrcli.clock import SystemClock
from rrcli.errors import StoreUnavailable
from rrcli.repository.base import Channel, QueueEntry, Repository
from rrcli.settings import Settings
from rrcli_daemons import loop as loops
from rrcli_daemons.loop import Loop, Wakeable, new_instance


class Recorder:
    """A daemon that does what the test says."""

    name = "recorder"
    sources: Sequence[Wakeable] = ()

    def __init__(self, step: Callable[[int], datetime | None], channel: Channel | None = None) -> None:
        self.channel = channel
        self.calls = 0
        self.finishes = 0
        self._step = step

    def run_once(self, now: datetime, *, called: bool = True) -> datetime | None:
        self.calls += 1
        return self._step(self.calls)

    def finish(self) -> datetime | None:
        self.finishes += 1
        return None

    def counters(self) -> Mapping[str, float]:
        return {"calls": float(self.calls)}


def make(daemon: Recorder, repository: Repository) -> Loop:
    grace = timedelta(seconds=1)
    return Loop(daemon, repository, SystemClock(), instance=new_instance(), grace=grace)


def test_stop_before_the_start_and_twice_is_safe(repository: Repository) -> None:
    daemon = Recorder(lambda _: None)
    loop = make(daemon, repository)
    loop.stop()
    loop.stop()
    loop.run()
    assert (daemon.calls, daemon.finishes) == (0, 1)
    loop.stop()


def test_more_work_is_done_without_a_wait(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "IDLE_WAIT_SECONDS", 60.0)

    def step(call: int) -> datetime | None:
        if call == 100:
            loop.stop()
        return SystemClock().now()

    daemon = Recorder(step)
    loop = make(daemon, repository)
    loop.run()
    assert daemon.calls == 100


def test_a_wake_up_from_the_store_ends_the_wait(
    repository: Repository, open_again: Callable[[], Repository], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "IDLE_WAIT_SECONDS", 60.0)
    waiting = threading.Event()

    def step(call: int) -> datetime | None:
        if call == 1:
            waiting.set()
        elif repository.queues.head() is not None:
            loop.stop()
        return None

    loop = make(Recorder(step, Channel.DISPATCHER), repository)
    thread = threading.Thread(target=loop.run)
    thread.start()
    assert waiting.wait(10)
    open_again().queues.add([QueueEntry(event_id="a" * 24, due=SystemClock().now())])
    thread.join(20)
    assert not thread.is_alive()


def test_an_outage_is_waited_out(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loops, "OUTAGE_WAIT_SECONDS", (0.001, 0.01))

    def step(call: int) -> datetime | None:
        if call < 5:
            raise StoreUnavailable("The store does not answer.")
        loop.stop()
        return None

    daemon = Recorder(step, Channel.WORKER)
    loop = make(daemon, repository)
    with caplog.at_level("INFO"):
        loop.run()
    actions = [getattr(record, "action", None) for record in caplog.records]
    assert daemon.calls == 5
    assert actions == ["started", "store_away", "store_back", "stopping", "stopped"]


def test_a_running_daemon_is_seen_and_a_stopped_one_is_not(repository: Repository) -> None:
    seen: list[str] = []
    now = SystemClock().now()

    def step(_: int) -> datetime | None:
        seen.extend(beat.daemon for beat in repository.heartbeats.list(now - timedelta(minutes=1)))
        loop.stop()
        return None

    loop = make(Recorder(step), repository)
    loop.run()
    assert seen == ["recorder"]
    assert repository.heartbeats.list(now - timedelta(minutes=1)) == []


@pytest.mark.parametrize("name", ["prequeuer", "dispatcher", "worker"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_daemon_in_order(name: str, number: signal.Signals, store: Settings) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "rrcli_daemons", name],
        env=environment(store),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process.stderr as lines:
        assert "started" in next(line for line in lines if '"action"' in line)
        process.send_signal(number)
        rest = lines.read()
    assert process.wait(20) == 0, rest
    assert '"stopped"' in rest


def environment(store: Settings) -> dict[str, str]:
    """The environment of a daemon on that store."""
    settings = {
        "RRCLI_DATA_DIR": store.embedded.data_dir,
        "MONGO_URI": store.mongo.uri,
        "MONGO_DATABASE": store.mongo.database,
        "REDIS_URL": store.redis.url,
    }
    return dict(os.environ) | {name: value for name, value in settings.items() if value}
