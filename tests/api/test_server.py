"""The service as it runs: gunicorn in processes of its own, real sockets."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

SERVICE = [sys.executable, "-m", "rrcli_api"]
FILE = Path(__file__).parents[2] / "config" / "gunicorn.conf.py"
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", str(FILE), "rrcli_api.wsgi:app"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    """Only what the service needs, so that no setting of the machine gets in."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "RRCLI_DATA_DIR": str(folder / "data"),
        "API_PORT": str(port),
        "API_WORKERS": "1",
        "LOG_FORMAT": "json",
    } | more


@contextmanager
def running(command: list[str], folder: Path, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The service, answering; stopped at the end if it still runs."""
    port = free_port()
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, cwd=folder, env=environment(folder, port, **more), stderr=log)
    try:
        transport = httpx.HTTPTransport(retries=8)  # waits 0, 0.5, 1, 2, ... s until somebody listens
        with httpx.Client(transport=transport, timeout=10) as client:
            assert client.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        yield process, port
    finally:
        process.terminate()
        process.wait(20)
        log.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with running(SERVICE, tmp_path_factory.mktemp("server")) as (_, port):
        yield port


def exchange(port: int, sent: bytes) -> tuple[bytes, dict[str, object]]:
    """Status line and JSON body of what the server says to raw bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return head.partition(b"\r\n")[0], json.loads(body)


def test_the_service_answers_over_http(server: int) -> None:
    url = f"http://127.0.0.1:{server}/api/schedules"
    body = {"name": "Backup", "rrule": "FREQ=DAILY", "callback_url": "https://example.com/b"}
    with httpx.Client() as client:
        made = client.post(url, json=body)
        assert made.status_code == 201
        assert client.get(url).json()["schedules"][0]["id"] == made.json()["id"]
        assert client.get(f"http://127.0.0.1:{server}/readyz").json() == {"status": "ready"}


def test_a_chunked_body_is_read_like_another(server: int) -> None:
    parts = iter([b'{"rrule": "FREQ=DAILY", ', b'"limit": 1}'])
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"http://127.0.0.1:{server}/api/preview", content=parts, headers=headers)
    assert answer.status_code == 200
    assert len(answer.json()["occurrences"]) == 1


def test_a_chunked_body_without_end_is_refused_at_the_limit(server: int) -> None:
    parts = (b" " * 65536 for _ in range(17))
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"http://127.0.0.1:{server}/api/preview", content=parts, headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "invalid_request"


HEAD = b"POST /api/preview HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
RAW = {
    "no HTTP": (b"hello\r\n\r\n", b"400"),
    "a line too long": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
    "a header too long": (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n", b"431"),
    "too many headers": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
    "two lengths": (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"400"),
    "an unknown transfer coding": (HEAD + b"Transfer-Encoding: tea\r\n\r\n{}", b"501"),
    "a chunk of no size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", b"400"),
    "a body that breaks off": (HEAD + b"Content-Length: 20\r\nConnection: close\r\n\r\n{}", b"400"),
    "a broken escape in the path": (b"GET /api/%ZZ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
    "no UTF-8 in the path": (b"GET /api/events/%FF HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"400"),
}


@pytest.mark.parametrize(("sent", "status"), RAW.values(), ids=RAW)
def test_what_is_hardly_http_gets_an_error_of_the_one_shape(server: int, sent: bytes, status: bytes) -> None:
    line, body = exchange(server, sent)
    assert line.split()[1] == status, line
    error = body["error"]
    assert isinstance(error, dict)
    assert error["code"] == ("not_found" if status == b"404" else "invalid_request")


def test_the_log_has_one_json_line_for_a_request(tmp_path: Path) -> None:
    with running(SERVICE, tmp_path) as (_, port):
        httpx.get(f"http://127.0.0.1:{port}/api/events?x=secret")
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    requests = [line for line in lines if line.get("action") == "http_request"]
    assert [(line["path"], line["status"]) for line in requests] == [("/api/events", 400)]
    assert {line["logger"] for line in lines} == {"gunicorn.error", "rrcli_api.access"}
    assert "secret" not in str(lines)
    assert set(os.listdir(tmp_path)) == {"log", "data"}


def test_gunicorn_with_the_shipped_file_serves_the_same(tmp_path: Path) -> None:
    with running(GUNICORN, tmp_path) as (_, port):
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").json() == {"status": "ready"}


def test_a_store_that_is_down_is_told_within_five_seconds(tmp_path: Path) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    store = {"MONGO_URI": f"mongodb://me:hunter2@{nobody}", "REDIS_URL": f"redis://{nobody}"}
    with running(SERVICE, tmp_path, **store) as (_, port):
        for path in ("/readyz", "/api/schedules", "/api/events"):
            answer = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5)
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "database_error"
            assert "hunter2" not in answer.text
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200


@pytest.mark.parametrize("signalled", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told(tmp_path: Path, signalled: signal.Signals) -> None:
    with running(SERVICE, tmp_path) as (process, _):
        process.send_signal(signalled)
        assert process.wait(10) == 0


def test_a_port_in_use_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = start_and_fail(tmp_path, port)
    assert ended.returncode == 1
    assert f"127.0.0.1:{port}" in ended.stderr.splitlines()[0]
    assert "in use" in ended.stderr.splitlines()[0]
    assert len(ended.stderr.splitlines()) == 2
    assert not (tmp_path / "data").exists()


def test_a_wrong_setting_is_told_with_its_name(tmp_path: Path) -> None:
    ended = start_and_fail(tmp_path, 99_999)
    assert ended.returncode == 4
    assert "API_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


def start_and_fail(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        SERVICE, cwd=folder, env=environment(folder, port), capture_output=True, text=True, timeout=20
    )


@pytest.mark.parametrize("command", [SERVICE, GUNICORN], ids=["rrcli_api", "gunicorn"])
def test_nothing_listens_beyond_loopback_without_a_key(tmp_path: Path, command: list[str]) -> None:
    variables = environment(tmp_path, free_port(), API_HOST="0.0.0.0")
    ended = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert "The API would listen on 0.0.0.0" in ended.stderr
    assert "rrcli apikey create --name NAME --scope admin" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("anonymous", ["true", "false"])
def test_with_a_key_or_leave_it_listens_anywhere(tmp_path: Path, anonymous: str) -> None:
    if anonymous == "false":
        arguments = ("apikey", "create", "--name", "x", "--scope", "read")
        made = subprocess.run(
            [sys.executable, "-m", "rrcli", *arguments],
            env=environment(tmp_path, 1),
            capture_output=True,
            text=True,
            check=True,
        )
        expected = {"Authorization": f"Bearer {made.stdout.strip()}"}
    else:
        expected = {}
    with running(SERVICE, tmp_path, API_HOST="0.0.0.0", API_ALLOW_ANONYMOUS=anonymous) as (_, port):
        url = f"http://127.0.0.1:{port}/api/schedules"
        assert httpx.get(url, headers=expected).status_code == 200
        assert httpx.get(url).status_code == (200 if anonymous == "true" else 401)
