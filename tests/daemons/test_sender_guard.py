"""Redirects and refused addresses: a call ends only where it may."""

from collections.abc import Iterator

import pytest

from rrcli.core.retry import Verdict, judge
from rrcli.settings import WorkerSettings
from rrcli_daemons.sender import Sender
from tests.support.receiver import Answer, Fault, Receiver, receiver
from tests.support.sending import a_request, send, sending

ONLY_FIRST = WorkerSettings(deny_networks=("127.0.0.0/8", "::1/128"), allow_networks=("127.0.0.1/32",))
SECRETS = {
    "Authorization": "Bearer 1",
    "Cookie": "a=b",
    "X-Api-Key": "2",
    "webhook-id": "evt",
    "X-Rrule-Attempt": "1",
    "User-Agent": "mine/1",
    "Content-Type": "text/x",
}


@pytest.fixture
def target() -> Iterator[Receiver]:
    with receiver() as target:
        yield target


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver(host="127.0.0.2") as other:
        yield other


@pytest.fixture
def sender() -> Iterator[Sender]:
    with sending() as sender:
        yield sender


def redirect(location: str, status: int = 302, **more: object) -> Answer:
    return Answer(status=status, headers={"Location": location}, **more)  # type: ignore[arg-type]


def test_a_redirect_is_the_answer_unless_the_schedule_follows(sender: Sender, target: Receiver) -> None:
    target.answer("/old", redirect("/new", 301))
    outcome = send(sender, a_request(target.url("/old")))
    assert (outcome.status_code, outcome.error) == (301, None)
    assert [request.path for request in target.requests] == ["/old"]


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (301, "POST", ("GET", b"")),
        (302, "POST", ("GET", b"")),
        (303, "POST", ("GET", b"")),
        (303, "PUT", ("GET", b"")),
        (301, "PUT", ("PUT", b"body")),
        (307, "POST", ("POST", b"body")),
        (308, "PATCH", ("PATCH", b"body")),
    ],
)
def test_a_followed_redirect_keeps_or_changes_the_method_as_http_says(
    sender: Sender, target: Receiver, status: int, method: str, expected: tuple[str, bytes]
) -> None:
    target.answer("/old", redirect("/new?x=1", status))
    outcome = send(sender, a_request(target.url("/old"), method, body=b"body", follow_redirects=True))
    assert outcome.status_code == 200
    assert target.requests[1].path == "/new?x=1"
    assert (target.requests[1].method, target.requests[1].body) == expected


def test_the_same_origin_sees_all_headers_again(sender: Sender, target: Receiver) -> None:
    target.answer("/old", redirect(target.url("/new"), 307))
    send(sender, a_request(target.url("/old"), body=b"x", headers=SECRETS, follow_redirects=True))
    assert {name.lower(): value for name, value in SECRETS.items()}.items() <= target.requests[
        1
    ].headers.items()


def test_another_origin_sees_no_header_that_may_be_a_credential(
    sender: Sender, target: Receiver, other: Receiver
) -> None:
    target.answer("/old", redirect(other.url("/new"), 307))
    url = target.url("/old").replace("http://", "http://ann:pw@")
    send(sender, a_request(url, body=b"x", headers=SECRETS, follow_redirects=True))
    got = other.requests[0].headers
    assert not {"authorization", "cookie", "x-api-key"} & set(got)
    assert (got["webhook-id"], got["x-rrule-attempt"], got["user-agent"], got["content-type"]) == (
        "evt",
        "1",
        "mine/1",
        "text/x",
    )


def test_headers_held_back_from_another_origin_stay_back_on_the_way_home(
    sender: Sender, target: Receiver, other: Receiver
) -> None:
    target.answer("/old", redirect(other.url("/away"), 307))
    other.answer("/away", redirect(target.url("/home"), 307))
    send(sender, a_request(target.url("/old"), headers=SECRETS, follow_redirects=True))
    assert "authorization" not in target.requests[-1].headers


def test_five_redirects_are_followed_and_not_a_sixth(sender: Sender, target: Receiver) -> None:
    for number in range(6):
        target.answer(f"/{number}", redirect(f"/{number + 1}"))
    assert send(sender, a_request(target.url("/1"), follow_redirects=True)).status_code == 200
    outcome = send(sender, a_request(target.url("/0"), follow_redirects=True))
    assert (outcome.status_code, outcome.error) == (302, "redirected more than 5 times")


def test_the_time_out_is_for_all_redirects_together(sender: Sender, target: Receiver) -> None:
    target.answer("/0", redirect("/1", delay_seconds=0.2))
    target.answer("/1", redirect("/2", delay_seconds=0.2))
    target.answer("/2", Answer(fault=Fault.NEVER))
    outcome = send(sender, a_request(target.url("/0"), timeout_seconds=0.6, follow_redirects=True))
    assert outcome.error == "timed out after 0.6 s"
    assert 590 <= outcome.duration_ms < 2000


@pytest.mark.parametrize("location", ["file:///etc/hostname", "ftp://127.0.0.1/", "gopher://127.0.0.1/"])
def test_a_redirect_to_another_protocol_is_refused(sender: Sender, target: Receiver, location: str) -> None:
    target.answer_all(redirect(location))
    outcome = send(sender, a_request(target.url(), follow_redirects=True))
    assert outcome.error is not None
    assert outcome.error.startswith("the URL cannot be called: ")
    assert outcome.permanent


@pytest.mark.parametrize("location", ["http://", "http://[::zz]/", "http://host:99999999/", "http://a b/"])
def test_a_redirect_to_a_url_that_is_none_is_an_error_and_harms_no_other_call(
    sender: Sender, target: Receiver, location: str
) -> None:
    target.answer("/bad", redirect(location))
    outcome = send(sender, a_request(target.url("/bad"), follow_redirects=True))
    assert outcome.error is not None
    assert send(sender, a_request(target.url("/"))).status_code == 200


def test_a_redirect_without_a_target_is_the_answer(sender: Sender, target: Receiver) -> None:
    target.answer_all(Answer(status=302))
    outcome = send(sender, a_request(target.url(), follow_redirects=True))
    assert (outcome.status_code, outcome.error) == (302, None)


def test_a_redirect_to_a_refused_address_is_refused(target: Receiver, other: Receiver) -> None:
    target.answer_all(redirect(other.url("/inside")))
    with sending(ONLY_FIRST) as sender:
        outcome = send(sender, a_request(target.url(), follow_redirects=True))
    assert outcome.error == "address refused: 127.0.0.2 is in worker.deny_networks (127.0.0.0/8)"
    assert judge(outcome) is Verdict.FINAL
    assert other.connections == 0


def test_the_metadata_address_is_refused_by_default(sender: Sender) -> None:
    outcome = send(sender, a_request("http://169.254.169.254/latest/meta-data/"))
    assert outcome.error == "address refused: 169.254.169.254 is in worker.deny_networks (169.254.0.0/16)"
    assert outcome.status_code is None
    assert judge(outcome) is Verdict.FINAL


def test_a_name_is_judged_by_the_addresses_that_it_resolves_to() -> None:
    with receiver() as target, sending(WorkerSettings(allow_private=False)) as sender:
        outcome = send(sender, a_request(f"http://localhost:{target.port}/"))
    assert outcome.error is not None
    assert "is not a public address, and worker.allow_private is false" in outcome.error
    assert judge(outcome) is Verdict.FINAL
    assert target.connections == 0


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.2",
        "127.2",
        "2130706434",
        "0x7f000002",
        "0177.0.0.2",
        "[::ffff:127.0.0.2]",
        "[::ffff:7f00:2]",
        "[64:ff9b::127.0.0.2]",
        "[2002:7f00:2::]",
        "[::1]",
    ],
)
def test_no_spelling_of_an_address_gets_around_the_policy(host: str) -> None:
    with receiver(host="127.0.0.2") as target, sending(ONLY_FIRST) as sender:
        outcome = send(sender, a_request(f"http://{host}:{target.port}/"))
    assert outcome.error is not None
    assert outcome.error.startswith("address refused: ")
    assert outcome.permanent
    assert target.connections == 0


def test_a_mapped_address_that_may_be_called_is_called(sender: Sender, target: Receiver) -> None:
    assert send(sender, a_request(f"http://[::ffff:127.0.0.1]:{target.port}/")).status_code == 200
