"""Receivers that fail: what the ledger says of each, and whether a retry makes sense."""

import errno
import os
from collections.abc import Iterator
from socket import AF_INET, SOCK_STREAM, socket

import pytest

from rrcli.core.retry import Outcome, Verdict, judge
from rrcli_daemons import http_call
from rrcli_daemons.http_call import Transfer
from rrcli_daemons.http_errors import explain
from rrcli_daemons.sender import Sender
from tests.support.receiver import CERTIFICATE, Answer, Fault, Receiver, receiver
from tests.support.sending import a_request, send, send_all, sending


@pytest.fixture(scope="module")
def sender() -> Iterator[Sender]:
    with sending() as sender:
        yield sender


@pytest.fixture
def target() -> Iterator[Receiver]:
    with receiver() as target:
        yield target


def test_a_refused_connection_is_named_with_its_address(sender: Sender, target: Receiver) -> None:
    target.stop()
    outcome = send(sender, a_request(target.url()))
    assert outcome.status_code is None
    assert outcome.error == f"connection refused by 127.0.0.1:{target.port}"
    assert judge(outcome) is Verdict.RETRY


def test_a_receiver_that_comes_back_is_called_again(sender: Sender, target: Receiver) -> None:
    assert send(sender, a_request(target.url())).status_code == 200
    target.stop()
    assert send(sender, a_request(target.url())).error is not None
    target.start()
    assert send(sender, a_request(target.url())).status_code == 200


def test_a_closed_connection_is_no_answer(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(fault=Fault.CLOSE))
    outcome = send(sender, a_request(target.url()))
    assert outcome.status_code is None
    assert outcome.error == f"127.0.0.1:{target.port} closed the connection without an answer"
    assert judge(outcome) is Verdict.RETRY


def test_a_reset_in_mid_answer_is_an_error_that_keeps_what_came(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(fault=Fault.RESET, body=b"half" * 2))
    outcome = send(sender, a_request(target.url()))
    assert outcome.error == f"connection reset by 127.0.0.1:{target.port} in mid-answer"
    assert (outcome.status_code, outcome.response) == (200, "half")
    assert judge(outcome) is Verdict.RETRY


def test_an_answer_that_ends_early_is_an_error(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(fault=Fault.CUT, body=b"half" * 2))
    outcome = send(sender, a_request(target.url()))
    assert outcome.error == f"127.0.0.1:{target.port} closed the connection in mid-answer"
    assert judge(outcome) is Verdict.RETRY


def test_a_receiver_that_never_answers_is_given_up_on_time(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(fault=Fault.NEVER))
    outcome = send(sender, a_request(target.url(), timeout_seconds=0.3))
    assert (outcome.status_code, outcome.error) == (None, "timed out after 0.3 s")
    assert 290 <= outcome.duration_ms < 2000
    assert judge(outcome) is Verdict.RETRY


def test_a_trickling_answer_is_given_up_on_time(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(fault=Fault.TRICKLE))
    outcome = send(sender, a_request(target.url(), timeout_seconds=0.3))
    assert outcome.error == "timed out after 0.3 s in mid-answer"
    assert 290 <= outcome.duration_ms < 2000
    assert judge(outcome) is Verdict.RETRY


def test_a_slow_answer_within_the_time_out_is_waited_for(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(delay_seconds=0.2))
    outcome = send(sender, a_request(target.url(), timeout_seconds=5))
    assert outcome.status_code == 200
    assert outcome.duration_ms >= 190


def test_an_address_that_takes_no_connection_times_out_while_connecting(sender: Sender) -> None:
    # A listener whose queue is full drops what else comes.
    with socket(AF_INET, SOCK_STREAM) as full, socket() as one, socket() as two:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (one, two):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        outcome = send(sender, a_request(f"http://127.0.0.1:{port}/", timeout_seconds=0.3))
    assert outcome.error == f"timed out after 0.3 s connecting to 127.0.0.1:{port}"


def test_an_answer_in_another_protocol_is_named(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(fault=Fault.NOT_HTTP))
    outcome = send(sender, a_request(target.url()))
    assert outcome.error == f"the answer of 127.0.0.1:{target.port} is not HTTP"
    assert not outcome.permanent


def test_a_process_without_free_descriptors_tries_again_later(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(http_call, "socket", exhausted)
    outcome = send(sender, a_request("http://127.0.0.1:9/"))
    assert outcome.error == "no socket could be opened: Too many open files"
    assert judge(outcome) is Verdict.RETRY


@pytest.mark.parametrize(
    ("code", "message", "os_error", "text"),
    [
        (7, "Failed to connect", errno.EHOSTUNREACH, "no route to 192.0.2.1:80"),
        (7, "Failed to connect", errno.EACCES, "could not connect to 192.0.2.1:80: Permission denied"),
        (7, "Failed to connect", 0, "could not connect to 192.0.2.1:80"),
        (28, "Timed out", 0, "timed out after 10 s connecting to 192.0.2.1:80"),
        (35, "wrong version number", 0, "TLS handshake with 192.0.2.1:80 failed: wrong version number"),
        (56, "SSL_read: Connection reset by peer", 0, "connection reset by 192.0.2.1:80"),
        (55, "Send failure", errno.EPIPE, "connection reset by 192.0.2.1:80"),
        (92, "stream 1 was reset", 0, "HTTP/2 error of 192.0.2.1:80: stream 1 was reset"),
        (27, "out of\n memory", 0, "the call failed: out of memory (curl error 27)"),
        (79, "bad //ann:pw@host", 0, "the call failed: bad //***@host (curl error 79)"),
    ],
)
def test_rare_errors_are_sentences_too(code: int, message: str, os_error: int, text: str) -> None:
    failure = explain(
        code,
        message,
        host="a.example",
        peer="192.0.2.1:80",
        resolved=True,
        sent=False,
        answering=False,
        os_error=os_error,
        duration_seconds=10.003,
        timeout_seconds=30,
    )
    assert (failure.text, failure.permanent) == (text, False)


@pytest.mark.parametrize(
    "headers",
    [{"X-Big": "a" * 400_000}, {f"X-{number}": "a" for number in range(8000)}],
    ids=["one large", "many"],
)
def test_headers_without_end_are_an_error(sender: Sender, target: Receiver, headers: dict[str, str]) -> None:
    target.answer_all(Answer(headers=headers))
    outcome = send(sender, a_request(target.url()))
    assert outcome.error == f"the headers of the answer of 127.0.0.1:{target.port} are too large"
    assert judge(outcome) is Verdict.RETRY


@pytest.mark.parametrize(
    "headers",
    [{"Content-Length": "abc"}, {"Content-Length": "-5"}, {"Transfer-Encoding": "chunked"}],
    ids=["length in letters", "negative length", "chunks that are none"],
)
def test_an_answer_that_breaks_the_protocol_is_an_error(
    sender: Sender, target: Receiver, headers: dict[str, str]
) -> None:
    target.answer_all(Answer(headers=headers))
    outcome = send(sender, a_request(target.url()))
    assert outcome.error is not None
    assert judge(outcome) is Verdict.RETRY


def test_a_mistake_in_dealing_with_one_answer_stays_with_its_call(
    target: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answered = Transfer.answered

    def sometimes_broken(transfer: Transfer, *, duration_ms: float) -> Outcome:
        if transfer.call.key == "1":
            raise ZeroDivisionError
        return answered(transfer, duration_ms=duration_ms)

    monkeypatch.setattr(Transfer, "answered", sometimes_broken)
    with sending() as sender:
        outcomes = send_all(sender, [a_request(target.url())] * 3)
    assert [outcome.error for outcome in outcomes] == [
        None,
        "the answer could not be dealt with: ZeroDivisionError",
        None,
    ]
    assert "could not be dealt with" in caplog.text


def test_a_name_that_does_not_exist_is_tried_again_later(sender: Sender) -> None:
    outcome = send(sender, a_request("http://no-such-host.invalid/"))
    assert outcome.error == "could not resolve host no-such-host.invalid"
    assert judge(outcome) is Verdict.RETRY


def test_a_name_that_failed_is_called_again_when_it_works(target: Receiver) -> None:
    with sending() as sender:
        for _ in range(2):
            assert send(sender, a_request("http://no-such-host.invalid/")).error is not None
        assert send(sender, a_request(target.url())).status_code == 200


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://127.0.0.1/", "the URL cannot be called: Protocol"),
        ("file:///etc/hostname", "the URL cannot be called: Protocol"),
        ("gopher://127.0.0.1/", "the URL cannot be called: Protocol"),
        ("http://two words/", "the URL cannot be called: "),
        ("http://127.0.0.1:99999/", "the URL cannot be called: "),
        ("http://127.0.0.1/\0", "the request cannot be sent: "),
        ("http://127.0.0.1/\ud800", "the request cannot be sent: "),
    ],
)
def test_a_url_that_can_never_be_called_is_final(sender: Sender, url: str, reason: str) -> None:
    outcome = send(sender, a_request(url))
    assert outcome.error is not None
    assert outcome.error.startswith(reason)
    assert judge(outcome) is Verdict.FINAL


def test_no_error_names_the_password_of_a_url(sender: Sender, target: Receiver) -> None:
    target.stop()
    for host in (f"127.0.0.1:{target.port}", "two words", "no-such-host.invalid", "127.0.0.1:99999"):
        error = send(sender, a_request(f"http://ann:hunter2@{host}/")).error
        assert error is not None
        assert "hunter2" not in error


def test_an_untrusted_certificate_is_an_error_that_says_so(sender: Sender) -> None:
    with receiver(tls=True) as target:
        outcome = send(sender, a_request(target.url()))
    assert outcome.error is not None
    assert outcome.error.startswith("TLS certificate not valid: ")
    assert judge(outcome) is Verdict.RETRY
    assert target.requests == []


def test_a_certificate_of_the_given_authority_is_trusted() -> None:
    with receiver(tls=True) as target, sending(ca_file=str(CERTIFICATE)) as sender:
        outcomes = [send(sender, a_request(target.url(), body=b"x")) for _ in range(2)]
    assert [outcome.status_code for outcome in outcomes] == [200, 200]
    assert target.connections == 1


def test_a_certificate_for_another_name_is_refused() -> None:
    with receiver(host="127.0.0.2", tls=True) as target, sending(ca_file=str(CERTIFICATE)) as sender:
        outcome = send(sender, a_request(target.url()))
    assert outcome.error is not None
    assert outcome.error.startswith("TLS certificate not valid: ")


def test_tls_to_a_receiver_without_it_is_an_error(sender: Sender, target: Receiver) -> None:
    outcome = send(sender, a_request(target.url().replace("http://", "https://"), timeout_seconds=2))
    assert outcome.error is not None
    assert judge(outcome) is Verdict.RETRY
