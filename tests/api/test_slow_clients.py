"""The service among clients that take their time: it stays there for others without a proxy before it."""

import json
import socket
import struct
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from rrcli_api.intake import Intake
from tests.api.test_server import SERVICE, running

HEAD = b"POST /api/preview HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"rrule": "FREQ=DAILY", "limit": 1}'
WHOLE = HEAD + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
CROWD = 200
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: what closes is reset."""

BEGUN = {
    "nothing at all": b"",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 1000\r\n\r\n{",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n{",
    "a body that is too large": HEAD + b"Content-Length: 999999999\r\n\r\n{",
}


def worker_with(**constants: float) -> list[str]:
    """The command of a service whose worker has other limits."""
    changes = "".join(f"w.{name} = {value}; " for name, value in constants.items())
    imports = "import sys; from rrcli_api import __main__, gunicorn_worker as w; "
    return [sys.executable, "-c", f"{imports}{changes}sys.exit(__main__.main())"]


@contextmanager
def connected(port: int, *begun: bytes) -> Iterator[list[socket.socket]]:
    """A client for each beginning, which has been sent."""
    with ExitStack() as stack:
        clients = []
        for each in begun:
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            client.sendall(each)
            clients.append(client)
        yield clients


def read_all(client: socket.socket) -> bytes:
    received = b""
    while part := client.recv(65536):
        received += part
    return received


def read_answer(client: socket.socket) -> tuple[int, Any]:
    """Status and JSON of one answer on a connection that may go on."""
    with client.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        length = 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return status, json.loads(stream.read(length) or b"null")


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The service as it is, with fewer threads than there are slow clients."""
    with running(SERVICE, tmp_path_factory.mktemp("patient"), API_THREADS="2") as (_, port):
        yield port


@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN)
def test_others_are_answered_at_once_while_200_slow_clients_sit_there(patient: int, begun: bytes) -> None:
    with connected(patient, *[begun] * CROWD) as slow:
        for _ in range(3):
            for client in slow:
                if begun and not begun.endswith(b"999\r\n\r\n{"):
                    client.sendall(b"x")
            # Far less than the seconds that one of them could keep a thread.
            assert httpx.get(f"http://127.0.0.1:{patient}/api/schedules", timeout=5).status_code == 200
            url = f"http://127.0.0.1:{patient}/api/preview"
            assert httpx.post(url, json={"rrule": "FREQ=DAILY"}, timeout=5).status_code == 200


def test_a_request_that_comes_byte_by_byte_is_answered_like_another(patient: int) -> None:
    with connected(patient, b"") as [client]:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in WHOLE:
            client.sendall(bytes([byte]))
        status, answer = read_answer(client)
    assert (status, len(answer["occurrences"])) == (200, 1)


def test_requests_that_come_together_are_answered_in_order(patient: int) -> None:
    third = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with connected(patient, WHOLE + WHOLE + third[:20]) as [client]:
        client.sendall(third[20:])
        received = read_all(client)
    assert received.count(b"HTTP/1.1 200 ") == 3
    assert received.count(b'"occurrences"') == 2


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked_once(patient: int) -> None:
    head, body = WHOLE.split(b"\r\n\r\n")
    head += b"\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    with connected(patient, head) as [client]:
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(patient: int) -> None:
    begun = HEAD + b"Expect: 100-continue\r\nContent-Length: 8388609\r\n\r\n"
    with connected(patient, begun) as [client]:
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer


def test_a_head_without_end_is_refused(patient: int) -> None:
    with connected(patient, HEAD + b"X-Y: " + b"z" * 7000 + (b"\r\nX-Y: " + b"z" * 7000) * 10) as [client]:
        assert read_all(client).startswith(b"HTTP/1.1 431 ")


def test_a_request_that_does_not_become_whole_in_time_is_refused(tmp_path: Path) -> None:
    with running(worker_with(READ_SECONDS=0.5), tmp_path, API_THREADS="1") as (_, port):
        with connected(port, *BEGUN.values()) as slow:
            answers = [read_all(client) for client in slow]
        statuses = [answer[9:12] for answer in answers]
        assert statuses == [b"", b"408", b"408", b"408", b"413"]
        assert b'"message":"Request Timeout."' in answers[1]


def test_when_there_are_too_many_the_first_make_room(tmp_path: Path) -> None:
    with (
        running(worker_with(MOST_COMING=3), tmp_path, API_THREADS="1") as (_, port),  # one after the other
        connected(port, *[HEAD] * 5) as slow,
    ):
        assert [read_all(client)[9:12] for client in slow[:2]] == [b"408"] * 2
        slow[4].sendall(WHOLE.removeprefix(HEAD))
        assert read_answer(slow[4])[0] == 200


def test_when_they_take_too_much_memory_the_first_make_room(tmp_path: Path) -> None:
    large = HEAD + b"Content-Length: 50000\r\n\r\n" + b" " * 40_000
    with (
        running(worker_with(COMING_BYTES=100_000), tmp_path, API_THREADS="1") as (_, port),
        connected(port, large, large, large, WHOLE) as [first, _, last, quick],
    ):
        assert read_answer(quick)[0] == 200
        assert read_all(first)[9:12] == b"408"
        last.sendall(b" " * (10_000 - len(BODY)) + BODY)
        assert read_answer(last)[0] == 200


@pytest.mark.parametrize("begun", [b"", HEAD], ids=["before a request", "in the middle of one"])
def test_connections_that_were_reset_do_not_push_out_those_that_upload(tmp_path: Path, begun: bytes) -> None:
    hurried = worker_with(MOST_COMING=10, LOOK_SECONDS=0.0)
    with (
        running(hurried, tmp_path, API_THREADS="1") as (_, port),  # one after the other
        connected(port, HEAD) as [upload],
    ):
        for _ in range(30):
            with connected(port, begun) as [check]:
                check.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        for _ in range(2):  # the service has looked between the two
            assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
        upload.sendall(WHOLE.removeprefix(HEAD))
        assert read_answer(upload)[0] == 200


def test_a_connection_between_two_requests_keeps_nothing_of_the_last_one() -> None:
    request = HEAD + b"Content-Length: 60000\r\n\r\n" + b" " * 60_000
    arriving = Intake()
    client, server = socket.socketpair()
    with client, server:
        client.sendall(request)
        tracemalloc.start()
        try:
            arriving.begin(0.0)
            assert arriving.take(server)
            assert arriving.read(len(request)) == request
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert kept < 30_000


def test_clients_that_do_not_close_hold_up_nobody(patient: int) -> None:
    """gunicorn by itself waits two seconds for each, and does nothing else meanwhile."""
    asked = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with connected(patient, *[asked] * 20) as open_still:
        assert httpx.get(f"http://127.0.0.1:{patient}/healthz", timeout=5).status_code == 200
        assert all(read_all(client).startswith(b"HTTP/1.1 200 ") for client in open_still)


def test_the_service_ends_in_time_with_slow_clients(tmp_path: Path) -> None:
    with (
        running(SERVICE, tmp_path) as (process, port),
        connected(port, *BEGUN.values()),
    ):
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        process.terminate()
        assert process.wait(8) == 0  # where it would wait for answers, it is 15 s


def test_a_client_that_does_not_read_its_answer_does_not_keep_a_thread_for_ever(tmp_path: Path) -> None:
    hurried = worker_with(ANSWER_SECONDS=3.0)
    with running(hurried, tmp_path, API_THREADS="1") as (_, port):
        url = f"http://127.0.0.1:{port}"
        schedule = {
            "name": "x",
            "rrule": "FREQ=DAILY",
            "callback_url": "https://a.example/",
            "body": "x" * 250_000,
        }
        for _ in range(60):
            assert httpx.post(f"{url}/api/schedules", json=schedule).status_code == 201
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET /api/schedules?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(10)
            assert httpx.get(f"{url}/healthz", timeout=15).status_code == 200
