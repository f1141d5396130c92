"""gunicorn's threaded worker, with errors of the HTTP itself in the service's one shape."""

import json
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ
from socket import SHUT_RD, SHUT_RDWR, SHUT_WR
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import _DEFER, ThreadWorker  # type: ignore[import-untyped]

from rrcli import garbage
from rrcli.clock import SystemClock
from rrcli_api import gathered
from rrcli_api.intake import Intake

_STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)


READ_SECONDS = 15.0
"""A request has come in whole after this long, or it is refused."""

ANSWER_SECONDS = 120.0
"""Its answer has been made and gone out after this long, or the connection is closed."""

LINGER_SECONDS = 2.0
"""How long a client may take to close, after us: closed at once, it could lose the end of its answer."""

LOOK_SECONDS = 0.25
MOST_COMING = 500
"""Requests that are not whole, in one process; half the connections that it takes."""
COMING_BYTES = 64 * 1024**2
"""What those may take in memory together. Beyond either, the one that began first is refused."""


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Lets no slow client keep a thread, answers JSON where gunicorn would answer HTML, ends in order on
    every signal.

    By itself, gunicorn gives a thread to whoever connects, and keeps it there for every next byte. Here a
    connection has a thread for a moment when something has come, and for longer once its request is whole.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clock = SystemClock()
        self._looked = 0.0
        self._coming: dict[Any, Intake] = {}
        self._answering: dict[Any, float] = {}
        self._answered: set[Any] = set()
        """Connections that are to be closed; those that have been closed on our side are in `_leaving`."""
        self._leaving: dict[Any, float] = {}
        plain = (self.cfg.protocol, self.cfg.proxy_protocol, self.cfg.http2_cleartext)
        self._gathers = plain == ("http", "off", "off") and not self.cfg.is_ssl
        """With TLS and the like, which only somebody's own gunicorn.conf.py switches on, a thread waits."""

    def init_process(self) -> None:
        """The whole life of the process, from the fork to its end."""
        gathered.install()
        garbage.search_seldom()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """On a thread of the pool: something has come from a client."""
        if self._gathers:
            intake = self._intake(conn)
            if not intake.take(conn.sock):
                return _DEFER
            self._coming.pop(conn, None)
        self._answering[conn] = self._clock.monotonic()
        try:
            kept = self._refused(conn) is None and super().handle(conn)
        finally:
            self._answering.pop(conn, None)
        if not kept:
            self._answered.add(conn)
        return kept

    def _refused(self, conn: Any) -> HTTPStatus | None:
        """What was answered to a request that is not for the parser."""
        intake: Intake | None = conn.parser.unreader if self._gathers else None
        if intake is None or not (intake.cut or intake.late):
            return None
        status = intake.refusal()
        if status:
            refuse(conn.sock, status)
        return status

    def _intake(self, conn: Any) -> Intake:
        """That of the connection, in the middle of a request or at the beginning of one."""
        if not conn.initialized:
            conn.init()
            conn.data_ready = True
            conn.parser.unreader = Intake()
        intake: Intake = conn.parser.unreader
        if intake.since is None:
            intake.begin(self._clock.monotonic())
            self._coming[conn] = intake
        return intake

    def handle_request(self, req: Any, conn: Any) -> Any:
        """A whole request, or one that never will be: then nobody knows where the next one would begin."""
        intake = conn.parser.unreader
        if isinstance(intake, Intake):
            if intake.cut or intake.ended:
                req.force_close()
            if intake.told or intake.cut:  # it was asked to go on, or must not be
                req._expected_100_continue = False
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """On the main thread, after `handle`. gunicorn would wait here until the client has closed, too."""
        if conn not in self._answered:
            super().finish_request(conn, fs)
            return
        self._answered.discard(conn)
        self._leaving[conn] = self._clock.monotonic()
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(SHUT_WR)
            self.poller.register(conn.sock, EVENT_READ, partial(self._drain, conn))
        except (OSError, ValueError):  # it has gone
            self._close(conn)
        else:
            self._drain(conn, conn.sock)

    def _drain(self, conn: Any, sock: Any) -> None:
        try:
            ended = not sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self._close(conn)

    def _close(self, conn: Any) -> None:
        del self._leaving[conn]
        with suppress(OSError, KeyError, ValueError):  # not registered
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def notify(self) -> None:
        """Called by the main thread after all that happens, and about once a second."""
        super().notify()
        now = self._clock.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._end_coming(now)
            self._end_answering(now)
            for conn, since in list(self._leaving.items()):
                if now - since > LINGER_SECONDS:
                    self._close(conn)

    def murder_pending(self) -> None:
        """`notify` ends those whose request is not whole in time."""

    def _end_coming(self, now: float) -> None:
        coming = list(self._coming.items())  # the one that began first is the first
        seconds = READ_SECONDS if self.alive else min(READ_SECONDS, LINGER_SECONDS)
        held, number = sum(len(intake) for _, intake in coming), len(coming)
        for conn, intake in coming:
            begun = now if intake.since is None else intake.since
            if now - begun > seconds or held > COMING_BYTES or number > MOST_COMING:
                self._coming.pop(conn, None)
                intake.give_up(conn.sock)
                held -= len(intake)
                number -= 1

    def _end_answering(self, now: float) -> None:
        for conn, since in list(self._answering.items()):
            if now - since > ANSWER_SECONDS:
                with suppress(OSError):  # it has ended meanwhile
                    conn.sock.shutdown(SHUT_RDWR)
            elif now - since > READ_SECONDS and not self._gathers:
                with suppress(OSError):
                    conn.sock.shutdown(SHUT_RD)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGINT and SIGQUIT as SIGTERM. gunicorn closes its thread pool inside the signal handler, which
        waits for ever when the signal comes while the pool is taking a request; requests here are short."""
        self.handle_exit(sig, frame)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """The request could not even be parsed, or the application broke outside its error handlers."""
        status = next((found for kind, found in _STATUS if isinstance(exc, kind)), None)
        if status is None:
            self.log.error("A request failed outside the application", exc_info=exc)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        else:
            self.log.info("Refused what is no HTTP request: %s", type(exc).__name__)
        refuse(client, status)


def refuse(client: Any, status: HTTPStatus) -> None:
    """Answer what is no request."""
    with suppress(OSError):
        client.sendall(answer(status))


def answer(status: HTTPStatus) -> bytes:
    """A whole HTTP response; the connection ends with it."""
    code = "internal_error" if status == HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request"
    body = json.dumps(
        {"error": {"code": code, "message": f"{status.phrase}."}}, separators=(",", ":")
    ).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
