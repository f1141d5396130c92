"""What a client has sent of a request, kept until the whole of it is here; only then is a thread needed."""

import re
from contextlib import suppress
from http import HTTPStatus
from io import BytesIO
from socket import MSG_DONTWAIT, SHUT_RD, socket

from gunicorn.http.unreader import Unreader  # type: ignore[import-untyped]

from rrcli_api.batch import BATCH_BYTES

HEAD_BYTES = 64 * 1024
"""The longest head: line and header fields together."""

_LINE_BYTES = 8190
_PART_BYTES = 64 * 1024
_BEGINNING = re.compile(rb"[\r\n!-~]")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FRAMING = re.compile(rb"\n(content-length|transfer-encoding):[ \t]*([^\r\n]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"[0-9]{1,15}")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(;.*)?", re.DOTALL)
_EXPECTS = re.compile(rb"\nexpect:[ \t]*100-continue", re.IGNORECASE)


class Intake(Unreader):  # type: ignore[misc]  # gunicorn has no types
    """Where gunicorn's parser reads one connection's requests from: never from the socket, so it never waits.

    What is read here only says when to begin; the parser decides what the bytes mean. Where the two should
    differ, it comes to an end of what is there, and refuses the request.
    """

    def __init__(self) -> None:
        super().__init__()
        self.since: float | None = None
        """When this request began (monotonic seconds); None between requests."""

    def begin(self, now: float) -> None:
        """The next request, of which the last one may have brought the first bytes."""
        self.since = now
        self.late = self.ended = self.cut = self.told = False
        self._data = bytearray(self.take_buffered())
        self._searched = 0
        self._end: int | None = None
        """Where the request ends, once its head is here; with chunks, where the head ends."""
        self._chunk: int | None = None
        """Where the next chunk begins, if the body comes in chunks."""

    def __len__(self) -> int:
        """How much memory it takes until it is whole, about, in bytes."""
        return len(self._data)

    def take(self, sock: socket) -> bool:
        """Read what has come; whether the request is whole, or never will be (`cut`, `ended`)."""
        while not self._data or not self._is_whole():
            try:
                part = sock.recv(_PART_BYTES, MSG_DONTWAIT)
            except BlockingIOError:
                self._encourage(sock)
                return False
            except OSError:  # it was reset
                part = b""
            if not part:
                self.ended = True
                break
            self._data += part
        self.since = None
        self.buf = BytesIO(self._data)
        self._data = bytearray()  # or an idle connection would keep the whole of its last request
        return True

    def refusal(self) -> HTTPStatus | None:
        """What the parser would not make of it; to be asked before the parser reads."""
        taken = self.buf.getbuffer().nbytes
        if self._end is None and taken > HEAD_BYTES:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        if self.late and self.ended and taken:
            return HTTPStatus.REQUEST_TIMEOUT
        return None

    def give_up(self, sock: socket) -> None:
        """Let it end as if no more came: somebody waits for too long, or others need the room."""
        self.late = True
        with suppress(OSError):  # it has ended meanwhile
            sock.shutdown(SHUT_RD)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The parser asks for more than there is."""
        return b""

    def _encourage(self, sock: socket) -> None:
        """Some clients wait with the body until they are told that it is welcome (RFC 9110, 10.1.1)."""
        if self._end is None or self.told or not _EXPECTS.search(self._data, 0, self._head_end):
            return
        self.told = True
        with suppress(OSError):
            sock.send(b"HTTP/1.1 100 Continue\r\n\r\n", MSG_DONTWAIT)

    def _is_whole(self) -> bool:
        if self._end is None:
            found = _HEAD_END.search(self._data, max(0, self._searched - 3))
            self._searched = len(self._data)
            # What begins otherwise is no request, TLS for instance: nobody shall wait for its end.
            is_other = not _BEGINNING.match(self._data)
            if is_other or (found.end() if found else self._searched) > HEAD_BYTES:
                self.cut = True
                return True
            if not found:
                return False
            self._read_head(found.end())
        if self._chunk is not None:
            return self._has_last_chunk(self._chunk)
        return self.cut or len(self._data) >= (self._end or 0)

    def _read_head(self, end: int) -> None:
        """How long the body is; what is wrong in that, the parser refuses."""
        self._head_end = self._end = end
        framing = _FRAMING.findall(self._data, 0, end)
        if not framing:
            return
        name, value = framing[0]
        length = _LENGTH.fullmatch(value.strip())
        if len(framing) > 1:
            self.cut = True
        elif name.lower() == b"transfer-encoding":
            self._chunk = end
        elif length and int(length[0]) <= BATCH_BYTES:
            self._end = end + int(length[0])
        else:
            self.cut = True

    def _has_last_chunk(self, at: int) -> bool:
        """Go on from the chunk that begins `at` (RFC 9112, 7.1)."""
        while at < len(self._data):
            self._chunk = at
            line_end = self._data.find(b"\r\n", at)
            if line_end < 0:
                self.cut = len(self._data) - at > _LINE_BYTES
                return self.cut
            size = _CHUNK_SIZE.fullmatch(self._data, at, line_end)
            if size is None or at > self._head_end + BATCH_BYTES:
                self.cut = True
                return True
            if not int(size[1], 16):  # the last; trailer fields may follow, and end as a head does
                self.cut = len(self._data) - line_end > HEAD_BYTES
                return self.cut or self._data.find(b"\r\n\r\n", line_end) >= 0
            at = line_end + 2 + int(size[1], 16) + 2
        self._chunk = at
        self.cut = at > self._head_end + BATCH_BYTES + HEAD_BYTES
        return self.cut
