"""What every operation works with."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rrcli.clock import Clock
from rrcli.core.models import whole_ms
from rrcli.repository.base import Repository
from rrcli.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """An open store, a clock and the settings."""

    repository: Repository
    clock: Clock
    settings: Settings

    def now(self) -> datetime:
        """The current instant, in whole milliseconds as storage keeps it."""
        return whole_ms(self.clock.now())

    @property
    def window(self) -> timedelta:
        """How far ahead occurrences are queued."""
        return timedelta(minutes=self.settings.prequeuer.event_timeframe_minutes)
