"""Checking a received request as a receiver does, after the Standard Webhooks specification 1.0."""

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rrcli.clock import from_ms
from rrcli.core.request import sign

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_VERSION = "v1,"


def fault_of(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    now: datetime,
    tolerance: timedelta,
) -> str | None:
    """What is wrong with the request, naming its part (id, timestamp, signature); None when it is valid.

    One secret that fits is enough. Raises ValueError for a secret of another form.
    """
    given = {name.lower(): value.strip() for name, value in headers.items()}
    for name in (ID, TIMESTAMP, SIGNATURE):
        if not given.get(name):
            return f"{name.removeprefix('webhook-')}: the header {name} is missing"
    return _timestamp_fault(given[TIMESTAMP], now, tolerance) or _signature_fault(given, body, secrets)


def _timestamp_fault(text: str, now: datetime, tolerance: timedelta) -> str | None:
    if not re.fullmatch(r"[0-9]{1,11}", text):
        return f"timestamp: {text[:40]!r} is not a number of seconds since 1970"
    age = (now - from_ms(int(text) * 1000)).total_seconds()
    limit = tolerance.total_seconds()
    if abs(age) <= limit:
        return None
    which = "old" if age > 0 else "far ahead"
    return f"timestamp: too {which}, by {abs(age) - limit:.0f} s beyond the tolerance of {limit:g} s"


def _signature_fault(given: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> str | None:
    signatures = [each for each in given[SIGNATURE].split() if each.startswith(_VERSION)]
    if not signatures:
        return "signature: there is none of version v1"
    expected = [sign((secret,), given[ID], given[TIMESTAMP], body) for secret in secrets]
    if any(hmac.compare_digest(one.encode(), two.encode()) for one in signatures for two in expected):
        return None
    return "signature: made with another secret, or id, timestamp or body are not those that were signed"
