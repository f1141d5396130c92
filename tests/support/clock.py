"""A clock that stands still until it is told to go on."""

from datetime import datetime, timedelta


class FakeClock:
    """Wall time and monotonic time; `advance` moves both by the same amount, `jump` only the wall."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def jump(self, duration: timedelta) -> None:
        """Somebody sets the wall clock; the monotonic one does not notice."""
        self._now += duration

    def advance(self, duration: timedelta) -> None:
        """Let `duration` pass."""
        self._now += duration
        self._monotonic += duration.total_seconds()

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.advance(timedelta(seconds=seconds))
