"""The command line as tests use it: in this process with a clock that stands, as a process, on a terminal."""

import io
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rrcli.cli.main import main
from rrcli.cli.state import State
from rrcli.settings import keys
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


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> Run:
    """Run one command line in this process, at 2026-11-23 12:00 UTC."""

    def call(*arguments: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = main(arguments, State(clock=clock))
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
