"""When a request is whole: not a byte earlier, and not a byte later, however it is cut up on its way."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli_api import intake
from rrcli_api.intake import Intake

NOW = 1.0
FIELDS = b"Host: x\r\nX-Length: 5\r\nX: content-length: 7\r\n"


@contextmanager
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    client, server = socket.socketpair()
    with client, server:
        yield client, server


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request with no body, one of a known length, or one in chunks with extensions and trailer fields."""
    kind = draw(st.sampled_from(["none", "length", "chunks"]))
    head = b"POST / HTTP/1.1\r\n" + FIELDS
    if kind == "none":
        return head + b"\r\n"
    if kind == "length":
        body = draw(st.binary(max_size=200))
        return head + b"CONTENT-length: %d\r\n\r\n" % len(body) + body
    chunks = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
    extension = draw(st.sampled_from([b"", b";a=b", b' ; a="0"']))
    trailers = draw(st.sampled_from([b"", b"X: y\r\n", b"X: y\r\nZ: 0\r\n"]))
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(each), extension, each) for each in chunks)
    return (
        head + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0" + extension + b"\r\n" + trailers + b"\r\n"
    )


@given(requests(), st.data())
def test_a_request_is_whole_with_its_last_byte(request: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(request) - 1), max_size=8)))
    parts = [request[a:b] for a, b in zip([0, *cuts], [*cuts, len(request)], strict=True)]
    more = data.draw(st.sampled_from([b"", b"GET / HTTP/1.1\r\n\r\n"]))
    arriving = Intake()
    arriving.begin(NOW)
    with line() as (client, server):
        for part in parts[:-1]:
            client.sendall(part)
            assert not arriving.take(server)
        client.sendall(parts[-1] + more)
        assert arriving.take(server)
    assert (arriving.cut, arriving.ended, arriving.late) == (False, False, False)
    assert arriving.take_buffered() == request + more


def test_what_came_with_the_last_request_is_the_beginning_of_the_next() -> None:
    one = b"GET / HTTP/1.1\r\n\r\n"
    arriving = Intake()
    with line() as (client, server):
        arriving.begin(NOW)
        client.sendall(one + one)
        assert arriving.take(server)
        assert arriving.read(len(one)) == one
        arriving.begin(NOW)
        assert arriving.take(server)
        assert arriving.read() == one
        assert arriving.read() == b""  # it never waits for the client


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
CUT = {
    "too large": HEAD + b"Content-Length: 8388609\r\n\r\n",
    "no number": HEAD + b"Content-Length: five\r\n\r\n",
    "negative": HEAD + b"Content-Length: -1\r\n\r\n",
    "thousands of digits": HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
    "a length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a chunk of no size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk of a negative size": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n",
    "a chunk too large": HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n",
    "a line of a chunk without end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"x" * 9000,
    "trailer fields without end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 70_000,
    "a head without end": HEAD + b"X: " + b"x" * 70_000,
}


@pytest.mark.parametrize("sent", CUT.values(), ids=CUT)
def test_what_never_will_be_whole_is_not_waited_for(sent: bytes) -> None:
    arriving = Intake()
    arriving.begin(NOW)
    with line() as (client, server):
        client.sendall(sent)
        assert arriving.take(server)
    assert arriving.cut
    long = len(sent) > intake.HEAD_BYTES and b"\r\n\r\n" not in sent
    assert arriving.refusal() == (431 if long else None)


def test_a_client_that_has_gone_is_not_waited_for() -> None:
    arriving = Intake()
    arriving.begin(NOW)
    with line() as (client, server):
        client.sendall(HEAD)
        client.shutdown(socket.SHUT_WR)
        assert arriving.take(server)
    assert arriving.ended


def test_what_does_not_begin_as_a_request_is_not_waited_for() -> None:
    arriving = Intake()
    arriving.begin(NOW)
    with line() as (client, server):
        client.sendall(b"\x16\x03\x01\x02\x00\x01\x00")  # TLS
        assert arriving.take(server)
    assert arriving.cut
