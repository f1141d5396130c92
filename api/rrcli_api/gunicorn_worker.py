"""gunicorn's threaded worker, with errors of the HTTP itself in the service's one shape."""

import json
from contextlib import suppress
from http import HTTPStatus
from socket import SHUT_RD, SHUT_RDWR
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from rrcli.clock import SystemClock
from rrcli_api import gathered

_STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)


READ_SECONDS = 15.0
"""A request has come in whole after this long, or the rest of it is not read."""

ANSWER_SECONDS = 120.0
"""A request has come in and its answer gone out after this long, or the connection is closed."""


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Answers JSON where gunicorn would answer HTML, ends in order on every signal, and lets no slow client
    keep a thread: gunicorn waits for ever for the next byte of a request that has begun."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._since: dict[Any, float] = {}
        self._clock = SystemClock()

    def init_process(self) -> None:
        """The whole life of the process, from the fork to its end."""
        gathered.install()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """One request, on a thread of the pool."""
        self._since[conn] = self._clock.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._since.pop(conn, None)

    def notify(self) -> None:
        """Called by the main thread about once a second."""
        super().notify()
        now = self._clock.monotonic()
        for conn, since in list(self._since.items()):
            if now - since > READ_SECONDS:
                how = SHUT_RDWR if now - since > ANSWER_SECONDS else SHUT_RD
                with suppress(OSError):  # it has ended meanwhile
                    conn.sock.shutdown(how)

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
