"""The command line as tests use it: in this process with a clock that stands, as a process, on a terminal."""

import io
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from rrcli.cli.main import main
from rrcli.cli.state import State
from rrcli.operations.context import Context
from rrcli.remote.client import Client
from rrcli.repository.factory import open_repository
from rrcli.settings import ClientSettings, EmbeddedSettings, Settings, keys
from rrcli_api.app import create_app
from tests.support.clock import FakeClock

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _quiet_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An embedded store of its own, no configuration file, no setting from outside, no colours."""
    for name in ("RRCLI_CONFIG", "NO_COLOR", "COLUMNS", "LINES", *(key.env for key in keys())):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RRCLI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


BOTH = {
    *("test_events", "test_formats", "test_preview", "test_replay", "test_schedules", "test_skips"),
    *("test_edit", "test_watch"),
}
"""Modules whose tests run twice: on a store, and by way of the REST service on such a store."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "where" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in BOTH:
        metafunc.parametrize("where", ["local", "remote"], indirect=True)


@pytest.fixture
def where(request: pytest.FixtureRequest) -> str:
    """`local`, on a store; `remote`, by way of the REST service."""
    return str(getattr(request, "param", "local"))


@pytest.fixture
def service(clock: FakeClock, tmp_path: Path) -> Iterator[Callable[[ClientSettings], Client]]:
    """Makes clients of a REST service in this process, on the embedded store, with the clock that stands."""
    settings = Settings(embedded=EmbeddedSettings(data_dir=str(tmp_path / "data")))
    with ExitStack() as opened:

        @cache
        def app() -> Any:
            repository = opened.enter_context(open_repository(settings))
            repository.init()
            return create_app(Context(repository=repository, clock=clock, settings=settings))

        def connect(client: ClientSettings) -> Client:
            assert client.server is not None
            transport = httpx.WSGITransport(app=app())
            return Client(client.server, client.api_key, transport=transport, wait=lambda _: None)

        yield connect


@pytest.fixture(autouse=True)
def _the_log_goes_on() -> Iterator[None]:
    """The process of a completion says nothing until it ends; this one has more tests to run."""
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    clock: FakeClock,
    where: str,
    service: Callable[[ClientSettings], Client],
) -> Run:
    """Run one command line in this process, at 2026-11-23 12:00 UTC."""

    def call(*arguments: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with monkeypatch.context() as environment:
            if where == "remote":
                environment.setenv("RRCLI_SERVER", "http://localhost")
            code = main(arguments, State(clock=clock, connect=service))
        captured = capsys.readouterr()
        return Result(int(code), captured.out, captured.err)

    return call


@pytest.fixture
def create(run: Run) -> Callable[..., str]:
    """Create a schedule, hourly unless said otherwise, and answer its id."""

    def call(name: str, *arguments: str, rule: str = "FREQ=HOURLY") -> str:
        rules = () if "--at" in arguments else ("--rrule", rule)
        url = ("--callback-url", "http://127.0.0.1:9/hook")
        result = run("schedule", "create", "--name", name, *url, *rules, "-o", "ids", *arguments)
        assert result.code == 0, result.err
        return result.out.strip()

    return call


def command(*arguments: str) -> list[str]:
    """The command line of a real process."""
    return [sys.executable, "-m", "rrcli", *arguments]


def on_terminal(*arguments: str, columns: int = 80, typed: str = "", **environment: str) -> tuple[int, str]:
    """Exit code and everything that appears on a terminal of so many columns, `typed` included."""
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    variables = os.environ | {"COLUMNS": str(columns)} | environment
    with subprocess.Popen(
        command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=variables, close_fds=True
    ) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
        code = process.wait(20)
    return code, shown.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says EIO when the other end has gone
        return b""


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a real process to its end."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=30, check=False, **options
    )
