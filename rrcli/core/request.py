"""The HTTP request of one attempt, after the Standard Webhooks specification 1.0."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from msgspec import Struct

from rrcli import __version__
from rrcli.clock import to_ms
from rrcli.core.models import Event, Schedule
from rrcli.core.timefmt import format_instant

_USER_AGENT = f"rrule-scheduler/{__version__}"
_SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that the specification gives to every secret


class Request(Struct, frozen=True, kw_only=True):
    """What to send: header names are unique whatever their case; `timeout_seconds` is for the whole call.

    Not before `at`, if that is a moment ahead.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    timeout_seconds: float
    follow_redirects: bool
    at: datetime | None = None


def build(schedule: Schedule, event: Event, *, now: datetime) -> Request:
    """The request of the event's next attempt, from the schedule's current revision.

    `webhook-id` stays the same over all attempts and replays of an occurrence, so a receiver that
    remembers it sees each occurrence once.
    """
    body = None if schedule.body is None else schedule.body.encode()
    message_id = event.message_id
    at = max(now, event.due)
    seconds = to_ms(at) // 1000
    headers = {
        "user-agent": _USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "x-rrule-schedule-id": schedule.id,
        "x-rrule-run-time": format_instant(event.run_time),
        "x-rrule-attempt": str(len(event.attempts) + 1),
    }
    own = {name.lower(): name for name in schedule.headers}
    merged = {name: value for name, value in headers.items() if name not in own} if own else headers
    merged.update(schedule.headers)
    if schedule.secrets:
        merged.pop(own.get("webhook-signature", ""), None)
        sent_id = schedule.headers.get(own.get("webhook-id", ""), message_id)
        sent_seconds = schedule.headers.get(own.get("webhook-timestamp", ""), str(seconds))
        merged["webhook-signature"] = sign(schedule.secrets, sent_id, sent_seconds, body or b"")
    return Request(
        method=schedule.effective_method,
        url=schedule.callback_url,
        headers=merged,
        body=body,
        timeout_seconds=schedule.timeout_seconds,
        follow_redirects=schedule.follow_redirects,
        at=at,
    )


def sign(secrets: tuple[str, ...], message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,<base64>` for each secret, separated by spaces (Standard Webhooks 1.0, "Signature scheme")."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(
        f"v1,{b64encode(hmac.digest(secret_key(secret), content, sha256)).decode()}" for secret in secrets
    )


def secret_key(secret: str) -> bytes:
    """The key bytes of a secret (`whsec_` and base64). Raises ValueError for any other form.

    Of any length, as the specification's own examples are; new ones are checked in `inputs`.
    """
    prefix, encoded = secret[: len(_SECRET_PREFIX)], secret[len(_SECRET_PREFIX) :]
    try:
        key = b64decode(encoded, validate=True) if prefix == _SECRET_PREFIX else b""
    except ValueError:
        key = b""
    if not key:
        raise ValueError(f"a secret is {_SECRET_PREFIX} and its bytes in base64")
    return key
