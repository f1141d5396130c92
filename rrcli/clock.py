"""The only place that reads a clock. Everything else is given `now`."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_HALF_MS = timedelta(microseconds=500)


class Clock(Protocol):
    """Wall time to decide when things happen, monotonic time to measure how long they take."""

    def now(self) -> datetime:
        """The current instant: aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary point, never going back; on Linux shared by all processes of a boot."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def to_ms(instant: datetime) -> int:
    """Epoch milliseconds of an aware datetime, as stored: exact in every year, rounded half up."""
    return (instant - _EPOCH + _HALF_MS) // _MS


def from_ms(milliseconds: int) -> datetime:
    """The aware UTC datetime of stored epoch milliseconds."""
    return _EPOCH + milliseconds * _MS
