"""What a receiver checks: our own signatures with the public library, and captured requests with ours."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from rrcli.clock import SystemClock
from rrcli.core.captured import read_captured
from rrcli.core.ids import occurrence_id
from rrcli.core.models import Event, EventState, Schedule, Status
from rrcli.core.request import Request, build
from rrcli.core.signature import fault_of
from rrcli.errors import InvalidInput

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OLD, NEW, OTHER = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2, 3))
TOLERANCE = timedelta(minutes=5)


def request(*secrets: str, body: str | None = '{"task": "backup"}', now: datetime = NOW) -> Request:
    schedule = Schedule(
        id="0" * 24,
        name="s",
        rrule="",
        callback_url="http://127.0.0.1:9/",
        body=body,
        secrets=secrets,
        created_at=NOW,
        updated_at=NOW,
    )
    event = Event(
        id=occurrence_id(schedule.id, NOW),
        schedule_id=schedule.id,
        run_time=NOW,
        due=NOW,
        revision=1,
        status=(Status(time=NOW, status=EventState.READY, message=""),),
        created_at=NOW,
    )
    return build(schedule, event, now=now)


def fault(
    made: Request, *secrets: str, late: float = 0, body: bytes | None = None, **headers: str
) -> str | None:
    changed = {**made.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    sent = made.body or b"" if body is None else body
    now = NOW + timedelta(seconds=late)
    return fault_of(changed, sent, secrets or (NEW,), now=now, tolerance=TOLERANCE)


@settings(deadline=None)
@given(body=st.text(max_size=40))
def test_the_public_library_accepts_what_is_signed(body: str) -> None:
    # The library looks at the clock of the machine.
    made = request(NEW, body=body, now=SystemClock().now())
    Webhook(NEW).verify(made.body or b"", dict(made.headers), json_parse=False)


def test_during_rotation_the_library_accepts_either_secret_and_no_other() -> None:
    made = request(OLD, NEW, now=SystemClock().now())
    for secret in (OLD, NEW):
        Webhook(secret).verify(made.body or b"", dict(made.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(made.body or b"", dict(made.headers))


def test_what_the_library_signs_is_valid_here() -> None:
    signed = Webhook(NEW).sign("msg_1", NOW, "a body")
    seconds = str(int(NOW.timestamp()))
    headers = {"Webhook-Id": "msg_1", "Webhook-Timestamp": seconds, "Webhook-Signature": signed}
    assert fault_of(headers, b"a body", [OTHER, NEW], now=NOW, tolerance=TOLERANCE) is None


def test_the_part_that_is_wrong_is_named() -> None:
    made = request(NEW)
    assert fault(made) is None
    assert fault(made, OTHER, NEW) is None
    assert str(fault(made, OTHER)).startswith("signature: ")
    assert str(fault(made, body=b"other")).startswith("signature: ")
    assert str(fault(made, webhook_id="other")).startswith("signature: ")
    assert str(fault(made, webhook_id="")).startswith("id: ")
    assert str(fault(made, webhook_signature="v2,abc")) == "signature: there is none of version v1"
    assert str(fault(made, webhook_timestamp="soon")).startswith("timestamp: 'soon' is not")


def test_the_tolerance_holds_both_ways() -> None:
    made = request(NEW)
    assert fault(made, late=300) is None
    assert fault(made, late=-300) is None
    assert str(fault(made, late=301)).startswith("timestamp: too old, by 1 s")
    assert str(fault(made, late=-301)).startswith("timestamp: too far ahead")


def dump(made: Request, newline: str = "\r\n") -> bytes:
    lines = ["POST /hook HTTP/1.1", *(f"{name}: {value}" for name, value in made.headers.items()), "", ""]
    return newline.join(lines).encode() + (made.body or b"")


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_an_http_message_is_read(newline: str) -> None:
    made = request(NEW)
    headers, body = read_captured(dump(made, newline))
    assert headers == dict(made.headers)
    assert body == made.body


def test_content_length_ends_the_body_before_what_an_editor_added() -> None:
    assert read_captured(b"Content-Length: 3\n\nabc\n") == ({"Content-Length": "3"}, b"abc")


def test_json_of_headers_and_body_is_read() -> None:
    pairs = [["a", "b"]]
    one = json.dumps({"headers": {"a": "b"}, "body": "é"}).encode()
    assert read_captured(one) == ({"a": "b"}, "é".encode())
    assert read_captured(json.dumps({"headers": pairs}).encode()) == ({"a": "b"}, b"")


@pytest.mark.parametrize("data", [b"{", b"{}", b'{"headers": 3}', b"GET / HTTP/1.1\nno header\n\n"])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="request"):
        read_captured(data)


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_captured(data)
    except InvalidInput:
        return
