"""One HTTP call on one reusable curl handle."""

import codecs
from collections.abc import Mapping
from datetime import datetime
from math import ceil
from socket import socket
from typing import Any
from urllib.parse import urlsplit

import pycurl
from msgspec import Struct

from rrcli import __version__
from rrcli.core.request import Request
from rrcli.core.retry import Outcome
from rrcli_daemons.addresses import AddressPolicy
from rrcli_daemons.http_errors import Failure, explain, peer_name

CONNECT_TIMEOUT_SECONDS = 10.0
BODY_LIMIT_BYTES = 64 * 1024
RESPONSE_BYTES = 1024
MAX_REDIRECTS = 5

_HTTP_ONLY = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
_FRAMES_BODY = frozenset({"POST", "PUT", "PATCH"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Framing belongs to curl: a wrong length would desynchronise a connection that other calls share.
_FRAMING = frozenset({"content-length", "transfer-encoding"})
# All that another origin may see of a redirected request; anything else may be a credential.
_PUBLIC_HEADERS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
_PUBLIC_PREFIXES = ("webhook-", "x-rrule-")


class Call(Struct, kw_only=True, eq=False):
    """A submitted request, and where its redirects have led it so far.

    `begun` is by the monotonic clock: when it may be sent, until it is; from then on, when that was.
    """

    key: str
    request: Request
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    begun: float
    started: datetime | None = None
    redirects: int = 0

    @classmethod
    def of(cls, key: str, request: Request, *, begun: float) -> "Call":
        """The call's first request."""
        return cls(
            key=key,
            request=request,
            method=request.method,
            url=request.url,
            headers=request.headers,
            body=request.body,
            begun=begun,
        )

    @property
    def host(self) -> str:
        """The host that `url` names; empty when it cannot be told."""
        return _origin(self.url)[1] or ""

    def redirect(self, status_code: int, url: str) -> None:
        """Point the call at `url` (RFC 9110, 15.4).

        307 and 308 repeat the request; the others may turn it into a GET without a body.
        """
        self.redirects += 1
        becomes_get = (status_code == 303 and self.method != "HEAD") or (
            status_code in (301, 302) and self.method == "POST"
        )
        if becomes_get:
            self.method, self.body = "GET", None
            self.headers = {n: v for n, v in self.headers.items() if n.lower() != "content-type"}
        if _origin(url) != _origin(self.url):
            self.headers = {n: v for n, v in self.headers.items() if _is_public(n)}
        self.url = url


class Transfer:
    """A curl handle with its fixed options; carries one call after another, keeping nothing between them."""

    def __init__(self, policy: AddressPolicy, ca_file: str) -> None:
        self.curl: Any = pycurl.Curl()
        self.call: Call
        self._policy = policy
        self._body = bytearray()
        self._received = 0
        self._sent: tuple[str, bytes | None] | None = None
        self._timeout_ms = 0
        self._tried: str | None = None
        self._refused: str | None = None
        self._socket_error: str | None = None
        self._set_fixed_options(ca_file)

    def _set_fixed_options(self, ca_file: str) -> None:
        setopt = self.curl.setopt
        setopt(pycurl.NOSIGNAL, 1)
        setopt(pycurl.PROTOCOLS, _HTTP_ONLY)
        setopt(pycurl.REDIR_PROTOCOLS, _HTTP_ONLY)
        setopt(pycurl.FOLLOWLOCATION, 0)
        # A proxy of the environment would do the connecting, behind the address policy's back.
        setopt(pycurl.PROXY, "")
        setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        setopt(pycurl.TCP_NODELAY, 1)
        setopt(pycurl.USERAGENT, f"rrule-scheduler/{__version__}")
        setopt(pycurl.CONNECTTIMEOUT_MS, _milliseconds(CONNECT_TIMEOUT_SECONDS))
        setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        setopt(pycurl.WRITEFUNCTION, self._take_body)
        setopt(pycurl.CAINFO, ca_file)

    def prepare(self, call: Call, *, left_seconds: float) -> None:
        """Set the options of `call`, which may take `left_seconds` more in all.

        Raises pycurl.error, UnicodeError or ValueError for a request that curl cannot express.
        """
        self.call = call
        self._body.clear()
        self._received = 0
        self._tried = self._refused = self._socket_error = None
        setopt = self.curl.setopt
        setopt(pycurl.URL, call.url.encode())
        setopt(pycurl.HTTPHEADER, _header_lines(call.headers))
        # Setting an option costs more than to see that it is set already, as most often it is.
        if self._sent != (call.method, call.body):
            self._sent = None
            self._set_method(call.method, call.body)
            self._sent = (call.method, call.body)
        timeout_ms = _milliseconds(left_seconds)
        if self._timeout_ms != timeout_ms:
            setopt(pycurl.TIMEOUT_MS, timeout_ms)
            self._timeout_ms = timeout_ms

    def _set_method(self, method: str, body: bytes | None) -> None:
        setopt = self.curl.setopt
        if method == "HEAD":
            setopt(pycurl.NOBODY, 1)
        elif body is None and method not in _FRAMES_BODY:
            setopt(pycurl.HTTPGET, 1)
        else:
            setopt(pycurl.POST, 1)
            setopt(pycurl.POSTFIELDS, body or b"")
        setopt(pycurl.CUSTOMREQUEST, method)

    def redirect_target(self) -> tuple[int, str] | None:
        """Status code and absolute URL when the answer was a redirect that can be followed."""
        code = self.curl.getinfo(pycurl.RESPONSE_CODE)
        target = self.curl.getinfo(pycurl.REDIRECT_URL) if code in _REDIRECTS else None
        return (code, target) if target else None

    def rejected(self, failure: Failure, *, duration_ms: float) -> Outcome:
        """The outcome of a call that `prepare` raised for."""
        assert self.call.started is not None
        return Outcome(
            error=failure.text,
            permanent=failure.permanent,
            started=self.call.started,
            duration_ms=duration_ms,
        )

    def answered(self, *, duration_ms: float) -> Outcome:
        """The outcome of a call that got its answer, whole or up to the limit."""
        return self._outcome(duration_ms, None)

    def failed(self, code: int, message: str, *, duration_ms: float) -> Outcome:
        """The outcome of a call that curl ended with error `code`."""
        if code == pycurl.E_WRITE_ERROR and self._received > BODY_LIMIT_BYTES:
            return self.answered(duration_ms=duration_ms)
        return self._outcome(duration_ms, self._failure(code, message, duration_ms))

    def never_resolved(self, code: int) -> bool:
        """Whether curl's error `code` means that the name of the host gave no address, or not in time."""
        return code == pycurl.E_COULDNT_RESOLVE_HOST or (
            code == pycurl.E_OPERATION_TIMEDOUT
            and self._tried is None
            and not self.curl.getinfo(pycurl.PRIMARY_IP)
        )

    def too_many_redirects(self, *, duration_ms: float) -> Outcome:
        """The outcome of a call that was sent on once too often."""
        return self._outcome(duration_ms, Failure(f"redirected more than {MAX_REDIRECTS} times"))

    def close(self) -> None:
        """Free the handle."""
        self.curl.close()

    def _outcome(self, duration_ms: float, failure: Failure | None) -> Outcome:
        assert self.call.started is not None
        getinfo = self.curl.getinfo
        code = getinfo(pycurl.RESPONSE_CODE)
        # In seconds, up to six hours, from either form of the header.
        wait_seconds = getinfo(pycurl.RETRY_AFTER)
        return Outcome(
            status_code=code or None,
            error=failure.text if failure else None,
            permanent=failure.permanent if failure else False,
            response=_text(self._body) if self._body else "",
            retry_after=str(wait_seconds) if wait_seconds else None,
            started=self.call.started,
            duration_ms=duration_ms,
        )

    def _failure(self, code: int, message: str, duration_ms: float) -> Failure:
        if self._tried is None and self._socket_error is not None:
            return Failure(self._socket_error)
        if self._tried is None and self._refused is not None:
            return Failure(f"address refused: {self._refused}", permanent=True)
        getinfo = self.curl.getinfo
        address = getinfo(pycurl.PRIMARY_IP)
        peer = peer_name(address, getinfo(pycurl.PRIMARY_PORT)) if address else self._tried
        return explain(
            code,
            message,
            host=self.call.host,
            peer=peer,
            resolved=peer is not None,
            sent=getinfo(pycurl.REQUEST_SIZE) > 0,
            answering=bool(getinfo(pycurl.RESPONSE_CODE)),
            os_error=getinfo(pycurl.OS_ERRNO),
            duration_seconds=duration_ms / 1000,
            timeout_seconds=self.call.request.timeout_seconds,
        )

    def _open_socket(self, _purpose: int, address: Any) -> "_Handed | int":
        """Called by curl for every address it is about to connect to."""
        host, port = address.addr[:2]
        reason = self._policy.refusal(host)
        if reason is not None:
            self._refused = reason
            return int(pycurl.SOCKET_BAD)
        try:
            opened = socket(address.family, address.socktype, address.protocol)
        except OSError as error:
            self._socket_error = f"no socket could be opened: {error.strerror}"
            return int(pycurl.SOCKET_BAD)
        self._tried = peer_name(host, port)
        return _Handed(opened)

    def _take_body(self, data: bytes) -> int | None:
        """Keep the beginning, count the rest, end the transfer past the limit."""
        if self._received < RESPONSE_BYTES:
            self._body += data[: RESPONSE_BYTES - self._received]
        self._received += len(data)
        return -1 if self._received > BODY_LIMIT_BYTES else None


class _Handed:
    """A socket on its way to pycurl, which takes a duplicate: this one is closed when it is dropped."""

    __slots__ = ("_socket",)

    def __init__(self, opened: socket) -> None:
        self._socket = opened

    def fileno(self) -> int:
        return self._socket.fileno()

    def __del__(self) -> None:
        self._socket.close()


def _header_lines(headers: Mapping[str, str]) -> list[bytes]:
    """Header lines as curl wants them, without the ones that it would add by itself."""
    lines = []
    names = set()
    for name, value in headers.items():
        lower = name.lower()
        if lower in _FRAMING:
            continue
        names.add(lower)
        # `Name:` alone tells curl to leave a header out; `Name;` sends it empty.
        lines.append(f"{name}: {value}".encode() if value.strip() else f"{name};".encode())
    if "content-type" not in names:
        lines.append(b"Content-Type:")
    if "expect" not in names:
        lines.append(b"Expect:")
    return lines


def _milliseconds(seconds: float) -> int:
    """Rounded up, and at least 1: curl takes 0 for no limit."""
    return max(1, ceil(seconds * 1000))


def _text(body: bytearray) -> str:
    """UTF-8 with replacements; a character cut in two by the limit is left out."""
    if len(body) < RESPONSE_BYTES:
        return body.decode("utf-8", "replace")
    return codecs.getincrementaldecoder("utf-8")("replace").decode(bytes(body))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port; a URL that Python cannot read, though curl might, is an origin of its own."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return url, None, None


def _is_public(name: str) -> bool:
    return name.lower() in _PUBLIC_HEADERS or name.lower().startswith(_PUBLIC_PREFIXES)
