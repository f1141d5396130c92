"""The HTTP request of one attempt."""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rrcli import __version__
from rrcli.core.models import Attempt, Event, EventState, Kind, Schedule, Status
from rrcli.core.request import Request, build, secret_key, sign

NOW = datetime(2026, 3, 1, 12, 0, 5, 999000, tzinfo=UTC)
RUN_TIME = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = bytes(range(24))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER_KEY = bytes(range(32))
OTHER = "whsec_" + base64.b64encode(OTHER_KEY).decode()
SCHEDULE = Schedule(
    id="a" * 24,
    name="a",
    rrule="",
    callback_url="https://example.com/a?b=c",
    created_at=RUN_TIME,
    updated_at=RUN_TIME,
)
EVENT = Event(
    id="e" * 24,
    schedule_id=SCHEDULE.id,
    run_time=RUN_TIME,
    due=RUN_TIME,
    revision=1,
    status=(Status(time=RUN_TIME, status=EventState.WORKER, message="Due"),),
    created_at=RUN_TIME,
)


def request(*, event: Event = EVENT, now: datetime = NOW, **changes: Any) -> Request:
    return build(replace(SCHEDULE, **changes), event, now=now)


def header(built: Request, name: str) -> str:
    """The one header of that name, whatever its case."""
    (value,) = [value for key, value in built.headers.items() if key.lower() == name]
    return value


def signature(key: bytes, built: Request) -> str:
    """Standard Webhooks 1.0: base64 of HMAC-SHA256 over `msg_id.timestamp.payload`, after the version."""
    payload = built.body or b""
    signed = b".".join(
        [header(built, "webhook-id").encode(), header(built, "webhook-timestamp").encode(), payload]
    )
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_headers_of_an_attempt():
    assert request().headers == {
        "user-agent": f"rrule-scheduler/{__version__}",
        "webhook-id": EVENT.id,
        "webhook-timestamp": "1772366405",
        "x-rrule-schedule-id": SCHEDULE.id,
        "x-rrule-run-time": "2026-03-01T12:00:00Z",
        "x-rrule-attempt": "1",
    }


def test_the_rest_is_the_schedules():
    built = request(body="ü", timeout_seconds=7.5, follow_redirects=True)
    assert (built.url, built.body) == (SCHEDULE.callback_url, "ü".encode())
    assert (built.timeout_seconds, built.follow_redirects) == (7.5, True)


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        (None, None, "GET"),
        (None, "", "POST"),
        (None, "x", "POST"),
        ("PUT", None, "PUT"),
        ("GET", "x", "GET"),
    ],
)
def test_the_default_method_follows_the_body(method: str | None, body: str | None, expected: str):
    assert request(method=method, body=body).method == expected


def test_an_empty_body_is_sent_as_one():
    assert request(body="").body == b""
    assert request(body=None).body is None


def test_attempts_are_counted_from_one():
    tried = structs.replace(EVENT, attempts=(Attempt(time=NOW, duration_ms=1.0, status_code=500),) * 2)
    assert header(request(event=tried), "x-rrule-attempt") == "3"


def test_webhook_id_stays_the_same_over_attempts_and_replays():
    tried = structs.replace(EVENT, attempts=(Attempt(time=NOW, duration_ms=1.0, error="timed out"),))
    replay = structs.replace(EVENT, id="f" * 24, kind=Kind.REPLAY, webhook_id=EVENT.id)
    later = NOW + timedelta(days=1)
    ids = {
        header(request(event=event, now=now), "webhook-id")
        for event in (EVENT, tried, replay)
        for now in (NOW, later)
    }
    assert ids == {EVENT.id}


@pytest.mark.parametrize("name", list(request().headers))
def test_a_users_header_wins_whatever_its_case(name: str):
    for own in (name, name.upper(), name.title()):
        built = request(headers={own: "mine"})
        assert header(built, name) == "mine"
        assert own in built.headers


names = st.text("aAbBxX-", min_size=1, max_size=4) | st.sampled_from(
    [*request().headers, "WEBHOOK-ID", "Webhook-Signature", "User-Agent"]
)
unique_headers = st.lists(
    st.tuples(names, st.text(max_size=5)), unique_by=lambda item: item[0].lower(), max_size=8
).map(dict)


@given(unique_headers, st.booleans())
def test_header_names_are_unique_and_all_of_the_users_are_sent(headers: dict[str, str], signed: bool):
    built = request(headers=headers, secrets=(SECRET,) if signed else ())
    lower = [name.lower() for name in built.headers]
    assert len(set(lower)) == len(lower)
    for name, value in headers.items():
        if not (signed and name.lower() == "webhook-signature"):
            assert built.headers[name] == value


@given(unique_headers, st.none() | st.text())
def test_the_signature_verifies_whatever_the_users_headers_and_body(
    headers: dict[str, str], body: str | None
):
    built = request(headers=headers, body=body, secrets=(SECRET,))
    assert header(built, "webhook-signature") == signature(KEY, built)


def test_during_rotation_every_secret_signs():
    built = request(body='{"task":"backup"}', secrets=(SECRET, OTHER))
    assert header(built, "webhook-signature").split(" ") == [
        signature(KEY, built),
        signature(OTHER_KEY, built),
    ]


def test_the_signature_of_the_specifications_own_example():
    secret = "whsec_plJ3nmyCDGBKInavdOK15jsl"
    body = b'{"event_type":"ping","data":{"success":true}}'
    signed = sign((secret,), "msg_loFOjxBNrRLzqYUf", "1731705121", body)
    assert signed == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


def test_without_a_secret_nothing_is_signed_and_a_users_signature_is_sent():
    assert "webhook-signature" not in request().headers
    assert request(headers={"Webhook-Signature": "mine"}).headers["Webhook-Signature"] == "mine"


def test_a_users_signature_gives_way_to_the_real_one():
    built = request(headers={"Webhook-Signature": "mine"}, secrets=(SECRET,))
    assert header(built, "webhook-signature") == signature(KEY, built)


def test_secret_key_is_the_bytes_after_the_prefix():
    assert secret_key(SECRET) == KEY


@pytest.mark.parametrize("secret", ["", "whsec_!", SECRET.removeprefix("whsec_"), "whsec_ü", SECRET + "\n"])
def test_a_secret_of_another_form_is_refused(secret: str):
    with pytest.raises(ValueError, match=r".+"):
        secret_key(secret)
