"""config/supervisord.conf: read by supervisor itself, and run for real with its paths moved."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from rrcli.settings import load
from tests.docs.markdown import ROOT
from tests.support.servers import free_port

SHIPPED = ROOT / "config" / "supervisord.conf"
NAMES = {"api", "prequeuer", "dispatcher", "worker_00", "worker_01"}

# In a process of its own: what supervisor imports warns, and warnings are errors here.
_READ = """
import json, sys
from supervisor.options import ServerOptions
options = ServerOptions()
options.realize(["-c", sys.argv[1]])
print(json.dumps({
    process.name: {
        "command": process.command, "autorestart": bool(process.autorestart), "log": process.stdout_logfile,
        "stopsignal": int(process.stopsignal), "stopwaitsecs": process.stopwaitsecs,
    }
    for group in options.process_group_configs for process in group.process_configs
}))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: the path of a Unix socket has about 100 characters at most."""
    path = Path(tempfile.mkdtemp(prefix="rrcli-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def moved(folder: Path) -> Path:
    """The shipped file with folders, user and program moved, and settings for the embedded store."""
    for name in ("log", "run"):
        (folder / name).mkdir()
    settings = folder / "config.yaml"
    settings.write_text(
        f"embedded: {{data_dir: {folder}/data}}\napi: {{port: {free_port()}}}\n", encoding="utf-8"
    )
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in (
        ("/var/log/rrule-scheduler", f"{folder}/log"),
        ("/run/rrule-scheduler", f"{folder}/run"),
        ("/etc/rrule-scheduler/config.yaml", str(settings)),
        ("/opt/rrule-scheduler/bin", str(Path(sys.executable).parent)),
        ("user=rrule", f"user={pwd.getpwuid(os.getuid()).pw_name}"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = folder / "supervisord.conf"
    path.write_text(text, encoding="utf-8")
    return path


def test_supervisor_reads_the_file_and_finds_four_programs(moved: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _READ, str(moved)], capture_output=True, text=True, check=True
    )
    programs = json.loads(done.stdout)
    assert set(programs) == NAMES
    commands = {name: programs[name]["command"].split("/rrcli ")[1] for name in NAMES}
    assert commands == {
        "api": "api",
        "prequeuer": "daemon prequeuer",
        "dispatcher": "daemon dispatcher",
        "worker_00": "daemon worker",
        "worker_01": "daemon worker",
    }
    grace = load(file=str(ROOT / "config" / "config.yaml"), environ={}).settings.worker.grace_seconds
    for name, program in programs.items():
        assert program["autorestart"], name
        assert program["stopsignal"] == signal.SIGTERM
        assert program["stopwaitsecs"] > (0 if name == "api" else grace)
    assert len({program["log"] for program in programs.values()}) == len(NAMES)


def test_it_runs_is_controlled_over_its_socket_and_stops_in_order(moved: Path, folder: Path) -> None:
    port = load(file=str(folder / "config.yaml"), environ={}).settings.api.port
    with _supervisord(moved) as process:
        _until(lambda: _states(moved) == dict.fromkeys(NAMES, "RUNNING"))
        _until(lambda: all(_messages(folder, name) for name in NAMES))
        with urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            assert answer.status == 200
        process.terminate()
        assert process.wait(timeout=40) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert {path.stem for path in (folder / "log").glob("*.log")} == NAMES | {"supervisord"}
    for name in NAMES - {"api"}:
        kind = name.partition("_")[0]
        assert _messages(folder, name)[0] == f"{kind} started"
        assert _messages(folder, name)[-1] == f"{kind} stopped"


@contextmanager
def _supervisord(configuration: Path) -> Iterator[subprocess.Popen[bytes]]:
    known = {name: value for name, value in os.environ.items() if name != "RRCLI_CONFIG"}
    with subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)],
        env=known | {"PYTHONWARNINGS": "ignore"},
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


def _messages(folder: Path, name: str) -> list[str]:
    text = (folder / "log" / f"{name}.log").read_text(encoding="utf-8")
    return [json.loads(line)["message"] for line in text.splitlines()]


def _states(configuration: Path) -> dict[str, str]:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "supervisor.supervisorctl",
            "-c",
            str(configuration),
            "status",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[0].partition(":")[2] or row[0]: row[1] for row in rows if len(row) > 1}


def _until(true: object, seconds: float = 30.0) -> None:
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)
