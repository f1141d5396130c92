"""What went wrong with a call, in words for the person who reads the ledger."""

import errno
import os
import re
from dataclasses import dataclass

import pycurl

from rrcli.log import redact

_NO_ROUTE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL})
_TLS_PREFIX = re.compile(r"^(SSL certificate OpenSSL verify result|SSL certificate problem|SSL): ")
_HTTP_2 = 16
_HTTP_2_STREAM = 92
_WEIRD_REPLY = 8
_TOO_LARGE = 100
_RESET = frozenset({errno.ECONNRESET, errno.EPIPE})


@dataclass(frozen=True, slots=True)
class Failure:
    """A sentence, and whether no retry can mend it."""

    text: str
    permanent: bool = False


def explain(
    code: int,
    message: str,
    *,
    host: str,
    peer: str | None,
    resolved: bool,
    sent: bool,
    answering: bool,
    os_error: int,
    duration_seconds: float,
    timeout_seconds: float,
) -> Failure:
    """The failure that curl reported as error `code` with `message`.

    `peer` is the address and port last spoken to; `resolved`, `sent` and `answering` say how far
    the call got; `os_error` is the errno of the last system call that failed, 0 for none.
    """
    at = peer or host
    if code == pycurl.E_OPERATION_TIMEDOUT:
        phase = _phase(at, host, resolved=resolved, sent=sent, answering=answering)
        # curl may be a millisecond early; far from the time-out, it was the one for connecting.
        in_all = duration_seconds > 0.99 * timeout_seconds
        seconds = timeout_seconds if in_all else round(duration_seconds, 1)
        return Failure(f"timed out after {seconds:g} s{phase}")
    if code == pycurl.E_COULDNT_RESOLVE_HOST:
        return Failure(f"could not resolve host {host}")
    if code == pycurl.E_COULDNT_CONNECT:
        return Failure(_not_connected(at, os_error))
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        return Failure(f"TLS certificate not valid: {_TLS_PREFIX.sub('', _clean(message))}")
    if code == pycurl.E_SSL_CONNECT_ERROR:
        return Failure(f"TLS handshake with {at} failed: {_clean(message)}")
    if code == pycurl.E_GOT_NOTHING:
        return Failure(f"{at} closed the connection without an answer")
    if code in (pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR) and _is_reset(message, os_error):
        return Failure(f"connection reset by {at}" + (" in mid-answer" if answering else ""))
    if code == pycurl.E_PARTIAL_FILE:
        return Failure(f"{at} closed the connection in mid-answer")
    if code == _TOO_LARGE or "response headers" in message:
        return Failure(f"the headers of the answer of {at} are too large")
    if code in (pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR):
        return Failure(f"the call to {at} broke off: {_clean(message)}")
    if code in (_HTTP_2, _HTTP_2_STREAM):
        return Failure(f"HTTP/2 error of {at}: {_clean(message)}")
    if code == _WEIRD_REPLY or "HTTP/0.9" in message:
        return Failure(f"the answer of {at} is not HTTP")
    if code in (pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_URL_MALFORMAT):
        return Failure(f"the URL cannot be called: {_clean(message)}", permanent=True)
    return Failure(f"the call failed: {_clean(message)} (curl error {code})")


def unusable(error: Exception) -> Failure:
    """The failure of a request that curl would not even take."""
    return Failure(f"the request cannot be sent: {_clean(str(error))}", permanent=True)


def peer_name(host: str, port: int) -> str:
    """`192.0.2.1:80`, `[2001:db8::1]:80`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _phase(at: str, host: str, *, resolved: bool, sent: bool, answering: bool) -> str:
    if answering:
        return " in mid-answer"
    if sent:
        return ""
    return f" connecting to {at}" if resolved else f" resolving host {host}"


def _not_connected(at: str, os_error: int) -> str:
    if os_error == errno.ECONNREFUSED:
        return f"connection refused by {at}"
    if os_error in _NO_ROUTE:
        return f"no route to {at}"
    return f"could not connect to {at}" + (f": {os.strerror(os_error)}" if os_error else "")


def _is_reset(message: str, os_error: int) -> bool:
    # TLS reports a reset in words only.
    return os_error in _RESET or "reset" in message


def _clean(message: str) -> str:
    """One line, without the credentials of a URL."""
    return redact(" ".join(message.split()))
