"""A clock that stands still until it is told to go on."""

from datetime import datetime, timedelta


class FakeClock:
    """Wall time and monotonic time that only `advance` moves; both by the same amount."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, duration: timedelta) -> None:
        """Let `duration` pass."""
        self._now += duration
        self._monotonic += duration.total_seconds()
