"""Whether a call is tried again, and when.

Back-off is exponential with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015):
the waits of many failed calls spread evenly instead of returning together.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum

from msgspec import Struct

from rrcli.core.models import Retry

_RETRYABLE = frozenset({408, 425, 429})


class Verdict(Enum):
    """What one answer means for its event."""

    SUCCESS = "success"
    RETRY = "retry"
    FINAL = "final"
    GONE = "gone"


class Outcome(Struct, frozen=True, kw_only=True, gc=False):
    """How one HTTP call ended: a status code, or the error that kept it from having one.

    `permanent` marks an error that no retry can mend (a refused address, an unusable URL).
    """

    status_code: int | None = None
    error: str | None = None
    permanent: bool = False
    response: str = ""
    retry_after: str | None = None
    started: datetime
    duration_ms: float


def judge(outcome: Outcome) -> Verdict:
    """2xx is success; 408, 425, 429, 5xx and errors of the network are retried; 410 says never again."""
    code = outcome.status_code
    if code is None or outcome.error is not None:
        return Verdict.FINAL if outcome.permanent else Verdict.RETRY
    if 200 <= code < 300:
        return Verdict.SUCCESS
    if code == 410:
        return Verdict.GONE
    return Verdict.RETRY if code in _RETRYABLE or code >= 500 else Verdict.FINAL


def next_attempt(
    retry: Retry, *, attempts: int, now: datetime, random: float, retry_after: str | None
) -> datetime:
    """When to call again after `attempts` failed calls; `random` is uniform in [0, 1).

    `Retry-After` (RFC 9110, 10.2.3: seconds or an HTTP date) wins when it asks for longer, up to the cap.
    """
    try:
        ceiling = min(retry.cap_seconds, retry.base_seconds * retry.factor ** (attempts - 1))
    except OverflowError:
        ceiling = retry.cap_seconds
    asked = min(_retry_after_seconds(retry_after, now), retry.cap_seconds)
    return now + timedelta(seconds=max(ceiling * random, asked))


def _retry_after_seconds(value: str | None, now: datetime) -> float:
    """Seconds asked for; 0 for an absent, past or unreadable value."""
    if not value:
        return 0.0
    if value.strip().isdecimal():
        return float(value.strip().lstrip("0")[:9] or 0)
    try:
        instant = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return 0.0
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return max(0.0, (instant - now).total_seconds())
