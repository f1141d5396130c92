"""`rrcli up` and `rrcli demo`, as a person runs them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from rrcli.repository.base import Repository
from rrcli.settings import Settings
from tests.support.stack import DAEMONS, environment, free_port, wait_until

RESTART_SECONDS = 5.0
STOP_SECONDS = 20.0


@contextmanager
def up(
    store: Settings, log: Path, *arguments: str, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "rrcli", "up", *arguments],
            env=environment(store, API_WORKERS="1"),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
        print(log.read_text())


def children(parent: int) -> dict[int, str]:
    """Process id -> command line of everything below `parent`."""
    found: dict[int, str] = {}
    for process in psutil.Process(parent).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found[process.pid] = " ".join(process.cmdline())
    return found


def daemon_pids(parent: int) -> dict[str, int]:
    commands = {pid: command for pid, command in children(parent).items() if "rrcli_daemons" in command}
    return {command.split()[-1]: pid for pid, command in commands.items()}


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_killed_daemon_comes_back_and_ctrl_c_leaves_no_process(
    store: Settings, repository: Repository, tmp_path: Path
) -> None:
    port = free_port()
    with up(store, tmp_path / "log", "--port", str(port), cwd=tmp_path) as process:
        wait_until(lambda: answers(port) and len(daemon_pids(process.pid)) == 3, what="the start")
        for name in DAEMONS:
            old = daemon_pids(process.pid)[name]
            os.kill(old, signal.SIGKILL)
            wait_until(
                lambda name=name, old=old: daemon_pids(process.pid).get(name, old) != old,
                seconds=RESTART_SECONDS,
                what=f"the restart of {name}",
            )
        wait_until(lambda: repository_sees(repository, 3), what="signs of life of all three")
        everything = children(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(STOP_SECONDS) == 0
        wait_until(
            lambda: not any(psutil.pid_exists(pid) for pid in everything), seconds=5, what="the end of all"
        )


def repository_sees(repository: Repository, daemons: int) -> bool:
    from datetime import timedelta

    from rrcli.clock import SystemClock

    beats = repository.heartbeats.list(SystemClock().now() - timedelta(seconds=10))
    return len({beat.daemon for beat in beats}) == daemons


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_nothing_outlives_a_supervisor_that_was_killed(
    store: Settings, repository: Repository, tmp_path: Path
) -> None:
    port = free_port()
    with up(store, tmp_path / "log", "--port", str(port)) as process:
        wait_until(lambda: answers(port) and len(daemon_pids(process.pid)) == 3, what="the start")
        everything = children(process.pid)
        process.kill()
        process.wait()
        wait_until(lambda: not any(map(psutil.pid_exists, everything)), what="the end of all")


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "rrcli", "up", "--port", str(port)],
            env=dict(os.environ) | {"RRCLI_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WORKER_COUNT", "0", "worker.count"),
        ("PREQUEUER_TICKER_INTERVAL_SECONDS", "601", "prequeuer.ticker_interval_seconds"),
        ("MONGO_URI", "postgres://x", "mongo.uri"),
    ],
)
@pytest.mark.parametrize("command", [["up"], ["daemon", "worker"], ["api"]], ids=" ".join)
def test_a_wrong_setting_stops_every_program_at_start(
    command: list[str], name: str, value: str, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rrcli", *command],
        env=dict(os.environ) | {name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert said in done.stderr
    assert name in done.stderr


def test_the_demo_loses_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rrcli", "demo", "--seconds", "5"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "lost: 0" in done.stdout
    assert "ready_queue → worker_queue → completed" in done.stderr
