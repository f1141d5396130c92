"""A real HTTP/1.1 receiver on a free loopback port, with every fault that a receiver can have.

with receiver() as target:
    target.answer("/hook", Answer(status=503, headers={"Retry-After": "7"}))
    ...  # something calls target.url("/hook")
    request = target.wait_for(1)[0]
"""

import asyncio
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from socket import IPPROTO_TCP, SO_LINGER, SOL_SOCKET, TCP_NODELAY
from typing import Any, Self

from rrcli.clock import SystemClock

# Self-signed, for localhost, 127.0.0.1 and ::1, valid until 2126; the key is worth nothing.
CERTIFICATE = Path(__file__).with_name("localhost-certificate.pem")
PRIVATE_KEY = Path(__file__).with_name("localhost-key.pem")

_CHUNK = bytes(64 * 1024)


class Fault(Enum):
    """How a receiver can fail; `status`, `headers` and `body` are sent as far as the fault lets them."""

    CLOSE = "reads the request and closes without an answer"
    RESET = "sends half of the body and resets the connection"
    CUT = "sends half of the body and closes the connection"
    NEVER = "reads the request and never answers"
    TRICKLE = "sends one byte of the body every 20 ms, for ever"
    NOT_HTTP = "answers in another protocol"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What to answer. `length` makes a body of that many zero bytes in place of `body`."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    length: int | None = None
    delay_seconds: float = 0.0
    fault: Fault | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """One request as it came: `path` with its query, header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    time: datetime


Answering = Answer | Callable[[Received], Answer]


class Receiver:
    """A receiver that records every request; it can be down for a while and come back on its port."""

    def __init__(self, *, host: str = "127.0.0.1", tls: bool = False) -> None:
        self.host = host
        self.port = 0
        self._tls = tls
        self._clock = SystemClock()
        self._default: Answering = Answer()
        self._answers: dict[str, Answering] = {}
        self._requests: list[Received] = []
        self._connections = 0
        self._arrived = threading.Condition()
        self._running: _Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, path: str = "/") -> str:
        """The URL of `path`, which begins with a slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def answer(self, path: str, answering: Answering) -> None:
        """Answer requests for `path` (without a query) like this from now on."""
        self._answers[path] = answering

    def answer_all(self, answering: Answering) -> None:
        """Answer like this wherever `answer` has said nothing."""
        self._default = answering

    @property
    def requests(self) -> list[Received]:
        """All requests so far, in order of arrival."""
        with self._arrived:
            return list(self._requests)

    @property
    def connections(self) -> int:
        """Connections accepted so far."""
        return self._connections

    def clear(self) -> None:
        """Forget the requests so far."""
        with self._arrived:
            self._requests.clear()

    def wait_for(self, count: int, timeout_seconds: float = 10.0) -> list[Received]:
        """All requests, once there are `count`. Raises TimeoutError when they do not come."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._requests) >= count, timeout_seconds):
                raise TimeoutError(
                    f"{len(self._requests)} of {count} requests came within {timeout_seconds:g} s"
                )
            return list(self._requests)

    def start(self) -> None:
        """Listen; on the same port as the last time, if there was one."""
        assert self._running is None
        self._running = _Running(self, self._tls_context())
        self.port = self._running.port

    def stop(self) -> None:
        """Close the port and all connections. Safe twice."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def _tls_context(self) -> ssl.SSLContext | None:
        if not self._tls:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, PRIVATE_KEY)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def connected(self) -> None:
        """Called for every connection."""
        self._connections += 1

    def received(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Called for every request; the answer to give."""
        request = Received(method=method, path=path, headers=headers, body=body, time=self._clock.now())
        with self._arrived:
            self._requests.append(request)
            self._arrived.notify_all()
        answering = self._answers.get(path.partition("?")[0], self._default)
        return answering if isinstance(answering, Answer) else answering(request)


@contextmanager
def receiver(*, host: str = "127.0.0.1", tls: bool = False) -> Iterator[Receiver]:
    """A running receiver, stopped at the end."""
    with Receiver(host=host, tls=tls) as running:
        yield running


class _Running:
    """One span of listening: an event loop on a thread."""

    def __init__(self, owner: Receiver, tls: ssl.SSLContext | None) -> None:
        self.connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            self._loop.create_server(
                lambda: _Connection(owner, self), owner.host, owner.port, ssl=tls, backlog=4096
            )
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="receiver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        for connection in list(self.connections):
            connection.abort()
        while self.connections:
            await asyncio.sleep(0)
        answering = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)


class _Connection(asyncio.Protocol):
    """One connection: reads a request, answers it, reads the next."""

    def __init__(self, owner: Receiver, running: _Running) -> None:
        self._owner = owner
        self._running = running
        self._buffer = bytearray()
        self._busy: asyncio.Task[None] | None = None
        self._drained = asyncio.Event()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._running.connections.add(self)
        self._drained.set()
        transport.get_extra_info("socket").setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self._owner.connected()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._running.connections.discard(self)
        self._drained.set()
        if self._busy is not None:
            self._busy.cancel()

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def abort(self) -> None:
        self._transport.abort()

    def _next(self) -> None:
        """Answer the requests that are complete, as long as answering needs no waiting."""
        while self._busy is None:
            request = _take_request(self._buffer)
            if request is None:
                return
            answer = self._owner.received(*request)
            if answer.delay_seconds or answer.fault or answer.length is not None:
                self._busy = asyncio.get_running_loop().create_task(self._slowly(request[0], answer))
            else:
                body = b"" if request[0] == "HEAD" else answer.body
                self._transport.write(_head(answer, len(answer.body)) + body)

    async def _slowly(self, method: str, answer: Answer) -> None:
        await asyncio.sleep(answer.delay_seconds)
        if answer.fault is not None:
            await self._fail(answer, answer.fault)
        elif answer.length is not None:
            await self._send_zeros(answer, answer.length)
        else:
            self._transport.write(
                _head(answer, len(answer.body)) + (b"" if method == "HEAD" else answer.body)
            )
        self._busy = None
        self._next()

    async def _fail(self, answer: Answer, fault: Fault) -> None:
        half = len(answer.body) // 2
        if fault is Fault.CLOSE:
            self._transport.close()
        elif fault is Fault.NOT_HTTP:
            self._transport.write(b"220 smtp.example ESMTP\r\n")
            self._transport.close()
        elif fault is Fault.CUT:
            self._transport.write(_head(answer, len(answer.body)) + answer.body[:half])
            self._transport.close()
        elif fault is Fault.RESET:
            self._transport.write(_head(answer, len(answer.body)) + answer.body[:half])
            # A moment for the half to arrive: a reset throws away what the other side has not read.
            await asyncio.sleep(0.05)
            linger = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, linger)
            self._transport.abort()
        elif fault is Fault.TRICKLE:
            self._transport.write(_head(answer, 1_000_000))
            while True:
                self._transport.write(b".")
                await asyncio.sleep(0.02)
        await asyncio.Event().wait()

    async def _send_zeros(self, answer: Answer, length: int) -> None:
        self._transport.write(_head(answer, length))
        while length > 0 and not self._transport.is_closing():
            self._transport.write(_CHUNK[:length])
            length -= len(_CHUNK)
            await self._drained.wait()


def _take_request(buffer: bytearray) -> tuple[str, str, dict[str, str], bytes] | None:
    """Cut one whole request off the buffer's beginning: method, path, headers, body."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = buffer[:end].decode("utf-8", "surrogateescape").split("\r\n")
    pairs: Sequence[tuple[str, str, str]] = [line.partition(":") for line in lines]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    stop = end + 4 + int(headers.get("content-length", "0"))
    if len(buffer) < stop:
        return None
    body = bytes(buffer[end + 4 : stop])
    del buffer[:stop]
    method, path, _version = first.split(" ")
    return method, path, headers, body


def _head(answer: Answer, length: int) -> bytes:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{n}: {v}" for n, v in answer.headers.items())]
    if "content-length" not in {name.lower() for name in answer.headers} and answer.status not in (204, 304):
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
