"""What goes over the wire, and what comes back, when nothing fails."""

import resource
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rrcli.core.request import Request
from rrcli_daemons.http_call import BODY_LIMIT_BYTES, RESPONSE_BYTES
from rrcli_daemons.sender import Sender
from tests.support.receiver import Answer, Fault, Receiver, receiver
from tests.support.sending import a_request, collect, send, send_all, sending


@pytest.fixture(scope="module")
def sender() -> Iterator[Sender]:
    with sending() as sender:
        yield sender


@pytest.fixture
def target() -> Iterator[Receiver]:
    with receiver() as target:
        yield target


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("body", [None, b"{}"])
def test_every_method_goes_out_with_and_without_a_body(
    sender: Sender, target: Receiver, method: str, body: bytes | None
) -> None:
    outcome = send(sender, a_request(target.url("/hook?a=1&b=%20"), method, body=body))
    (request,) = target.requests
    assert (request.method, request.path, request.body) == (method, "/hook?a=1&b=%20", body or b"")
    assert (outcome.status_code, outcome.error, outcome.response) == (200, None, "ok")


def test_head_gets_its_status_without_waiting_for_a_body(sender: Sender, target: Receiver) -> None:
    outcome = send(sender, a_request(target.url(), "HEAD"))
    assert target.requests[0].method == "HEAD"
    assert (outcome.status_code, outcome.response) == (200, "")


def test_a_handle_forgets_the_method_and_body_of_its_last_call(target: Receiver) -> None:
    calls = [("POST", b"secret"), ("HEAD", None), ("GET", None), ("PUT", b"x"), ("GET", None)]
    with sending() as sender:
        for method, body in calls:
            assert send(sender, a_request(target.url(), method, body=body)).status_code == 200
    assert [(r.method, r.body) for r in target.requests] == [(m, body or b"") for m, body in calls]
    assert "content-length" not in target.requests[-1].headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("body", [None, b""])
def test_an_empty_body_states_its_length(
    sender: Sender, target: Receiver, method: str, body: bytes | None
) -> None:
    send(sender, a_request(target.url(), method, body=body))
    assert target.requests[0].headers["content-length"] == "0"


def test_a_get_without_a_body_states_no_length(sender: Sender, target: Receiver) -> None:
    send(sender, a_request(target.url(), "GET"))
    assert "content-length" not in target.requests[0].headers


def test_a_body_of_any_bytes_arrives_unchanged(sender: Sender, target: Receiver) -> None:
    body = "Grüße 🚀\r\n\0".encode() + bytes(range(256))
    send(sender, a_request(target.url(), body=body))
    assert target.requests[0].body == body


def test_a_large_body_goes_out_without_asking_first(sender: Sender, target: Receiver) -> None:
    body = b"x" * 3_000_000
    send(sender, a_request(target.url(), body=body))
    assert target.requests[0].body == body
    assert "expect" not in target.requests[0].headers


def test_nothing_is_added_but_host_length_accept_and_user_agent(sender: Sender, target: Receiver) -> None:
    send(sender, a_request(target.url(), body=b"a=1"))
    assert set(target.requests[0].headers) == {"host", "accept", "user-agent", "content-length"}
    assert target.requests[0].headers["user-agent"].startswith("rrule-scheduler/")


def test_headers_of_the_request_go_out_as_they_are(sender: Sender, target: Receiver) -> None:
    headers = {
        "User-Agent": "mine/1",
        "content-type": "text/x",
        "X-Empty": "",
        "X-Colon": "a: b; c",
        "X-Unicode": "Grüße",
        "accept": "text/html",
        "Expect": "",
    }
    send(sender, a_request(target.url(), body=b"x", headers=headers))
    got = target.requests[0].headers
    assert {name.lower(): value for name, value in headers.items()}.items() <= got.items()


def test_headers_of_one_call_do_not_reach_the_next(target: Receiver) -> None:
    with sending() as sender:
        send(sender, a_request(target.url(), headers={"Authorization": "Bearer 1", "Content-Type": "a/b"}))
        send(sender, a_request(target.url(), body=b"x"))
    assert not {"authorization", "content-type"} & set(target.requests[1].headers)


def test_framing_headers_are_left_to_the_client(sender: Sender, target: Receiver) -> None:
    headers = {"Content-Length": "1", "Transfer-Encoding": "chunked"}
    send(sender, a_request(target.url(), body=b"four", headers=headers))
    assert target.requests[0].body == b"four"
    assert target.requests[0].headers["content-length"] == "4"


@pytest.mark.parametrize("status", [200, 201, 204, 299, 304, 400, 404, 410, 418, 429, 500, 503, 599])
def test_any_status_is_an_answer_and_no_error(sender: Sender, target: Receiver, status: int) -> None:
    target.answer_all(Answer(status=status, body=b""))
    outcome = send(sender, a_request(target.url()))
    assert (outcome.status_code, outcome.error) == (status, None)


@pytest.mark.parametrize("status", [200, 429, 503])
def test_retry_after_in_seconds_is_kept(sender: Sender, target: Receiver, status: int) -> None:
    target.answer_all(Answer(status=status, headers={"Retry-After": "17"}))
    assert send(sender, a_request(target.url())).retry_after == "17"


def test_retry_after_as_a_date_is_kept(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(status=503, headers={"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}))
    assert send(sender, a_request(target.url())).retry_after is not None


def test_retry_after_of_one_answer_does_not_reach_the_next(target: Receiver) -> None:
    target.answer("/busy", Answer(status=503, headers={"Retry-After": "17"}))
    with sending() as sender:
        send(sender, a_request(target.url("/busy")))
        assert send(sender, a_request(target.url("/"))).retry_after is None


def test_the_first_kibibyte_of_an_answer_is_kept(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(body=b"a" * 1000 + b"b" * 5000))
    assert send(sender, a_request(target.url())).response == "a" * 1000 + "b" * 24


def test_an_answer_that_is_not_utf_8_is_kept_with_replacements(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(body=b"caf\xe9 \xf0\x9f\x9a\x80"))
    assert send(sender, a_request(target.url())).response == "caf\ufffd 🚀"


def test_a_character_cut_in_two_by_the_limit_is_left_out(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(body=b"a" * (RESPONSE_BYTES - 1) + "é".encode()))
    assert send(sender, a_request(target.url())).response == "a" * (RESPONSE_BYTES - 1)


def test_an_answer_as_long_as_the_limit_is_read_to_its_end(target: Receiver) -> None:
    target.answer_all(Answer(length=BODY_LIMIT_BYTES))
    with sending() as sender:
        for _ in range(2):
            assert send(sender, a_request(target.url())).status_code == 200
    assert target.connections == 1


@pytest.mark.parametrize("status", [200, 503])
def test_an_endless_answer_counts_by_its_status_and_is_not_stored(
    sender: Sender, target: Receiver, status: int
) -> None:
    target.answer_all(Answer(status=status, length=10 * 1024**3))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = send(sender, a_request(target.url()))
    assert (outcome.status_code, outcome.error) == (status, None)
    assert len(outcome.response) == RESPONSE_BYTES
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB
    assert outcome.duration_ms < 5000


def test_calls_to_one_receiver_share_a_connection(target: Receiver) -> None:
    with sending() as sender:
        for _ in range(20):
            send(sender, a_request(target.url()))
    assert target.connections == 1


def test_two_receivers_on_unusual_ports_are_called_at_once(sender: Sender) -> None:
    with receiver() as one, receiver(host="127.0.0.2") as two:
        outcomes = send_all(sender, [a_request(one.url("/a")), a_request(two.url("/b"))])
    assert [outcome.status_code for outcome in outcomes] == [200, 200]
    assert (one.requests[0].path, two.requests[0].path) == ("/a", "/b")
    assert one.requests[0].headers["host"] == f"127.0.0.1:{one.port}"


def test_a_receiver_on_ipv6_is_called(sender: Sender) -> None:
    with receiver(host="::1") as target:
        assert send(sender, a_request(target.url())).status_code == 200


def test_a_user_and_password_in_the_url_are_sent_as_basic_authentication(
    sender: Sender, target: Receiver
) -> None:
    send(sender, a_request(target.url().replace("http://", "http://ann:pw@")))
    assert target.requests[0].headers["authorization"] == "Basic YW5uOnB3"


def test_proxies_of_the_environment_are_ignored(target: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with sending() as sender:
        assert send(sender, a_request(target.url())).status_code == 200


class _TickingClock:
    """Wall time stands still; every look at the monotonic clock takes a second."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 12, tzinfo=UTC)

    def monotonic(self) -> float:
        self._seconds += 1
        return self._seconds


def test_start_and_duration_come_from_the_given_clock(target: Receiver) -> None:
    with sending(clock=_TickingClock()) as sender:
        outcome = send(sender, a_request(target.url()))
    assert outcome.started == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert outcome.duration_ms % 1000 == 0
    assert timedelta(milliseconds=outcome.duration_ms) > timedelta(0)


def test_five_hundred_calls_are_in_flight_at_once(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(delay_seconds=0.3))
    outcomes = send_all(sender, [a_request(target.url(f"/{number}")) for number in range(500)])
    assert {outcome.status_code for outcome in outcomes} == {200}
    assert {request.path for request in target.requests} == {f"/{number}" for number in range(500)}
    assert target.connections == 500


def test_receivers_that_hang_do_not_delay_the_others(sender: Sender) -> None:
    with receiver() as fine, receiver(host="127.0.0.3") as hanging:
        hanging.answer_all(Answer(fault=Fault.NEVER))
        calls: list[tuple[str, Request]] = [
            (f"hanging {number}", a_request(hanging.url(), timeout_seconds=1.0)) for number in range(50)
        ]
        calls += [(f"fine {number}", a_request(fine.url())) for number in range(450)]
        sender.submit(calls)
        outcomes = collect(sender, 500)
    assert [key.split()[0] for key, _ in outcomes] == ["fine"] * 450 + ["hanging"] * 50
