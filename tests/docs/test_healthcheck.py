"""docker/healthcheck.py says what is so, in one line, with the right exit code."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from rrcli.clock import SystemClock
from rrcli.repository.base import Heartbeat
from rrcli.repository.factory import open_repository
from rrcli.settings import load
from tests.docs.markdown import ROOT
from tests.support.servers import free_port


def _check(*arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docker" / "healthcheck.py"), *arguments],
        env=dict(os.environ) | {"MONGO_URI": "", "RRCLI_CONFIG": ""} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout or done.stderr


def _beat(folder: Path, *, ago: float, host: str) -> None:
    now = SystemClock().now()
    with open_repository(load(environ={"RRCLI_DATA_DIR": str(folder)}).settings) as repository:
        repository.init()
        repository.heartbeats.beat(
            Heartbeat(
                daemon="worker",
                instance=f"{host}-1",
                host=host,
                pid=1,
                started_at=now - timedelta(hours=1),
                seen_at=now - timedelta(seconds=ago),
                detail={},
            )
        )


def test_a_daemon_seen_lately_on_this_host_is_healthy(tmp_path: Path) -> None:
    _beat(tmp_path, ago=2, host=socket.gethostname())
    code, said = _check("worker", RRCLI_DATA_DIR=str(tmp_path))
    assert code == 0
    assert said.startswith("worker was seen ")


@pytest.mark.parametrize(
    ("daemon", "ago", "host"),
    [
        pytest.param("worker", 60, None, id="silent for a minute"),
        pytest.param("worker", 2, "elsewhere", id="only another host's"),
        pytest.param("dispatcher", 2, None, id="another daemon"),
    ],
)
def test_a_daemon_without_a_recent_sign_of_life_is_not(
    tmp_path: Path, daemon: str, ago: float, host: str | None
) -> None:
    _beat(tmp_path, ago=ago, host=host or socket.gethostname())
    code, said = _check(daemon, RRCLI_DATA_DIR=str(tmp_path))
    assert code == 1
    assert said.startswith(f"unhealthy: no sign of life of {daemon} on {socket.gethostname()}")


def test_a_store_that_is_away_is_told_in_one_line() -> None:
    code, said = _check("worker", MONGO_URI=f"mongodb://127.0.0.1:{free_port()}")
    assert code == 1
    assert said.startswith("unhealthy: ")
    assert said.count("\n") == 1


def test_the_api_is_asked_over_http() -> None:
    with _answering(200) as port:
        code, said = _check("api", API_PORT=str(port))
    assert (code, json.loads(said)) == (0, {"status": "ok"})


def test_an_api_that_fails_or_is_not_there_is_not_healthy() -> None:
    with _answering(500) as port:
        assert _check("api", API_PORT=str(port))[0] == 1
    assert _check("api", API_PORT=str(port))[0] == 1


def test_a_wrong_name_is_a_usage_error() -> None:
    code, said = _check("mongo")
    assert code == 2
    assert said.startswith("usage: ")


@contextmanager
def _answering(status: int) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(b'{"status": "ok"}')

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
