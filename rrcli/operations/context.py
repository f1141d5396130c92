"""What every operation works with."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rrcli.clock import Clock
from rrcli.core.exclusions import Exclusions
from rrcli.core.models import Timed, whole_ms
from rrcli.operations.exclusions import CalendarCache, of_all
from rrcli.repository.base import Repository
from rrcli.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """An open store, a clock and the settings."""

    repository: Repository
    clock: Clock
    settings: Settings
    calendars: CalendarCache = field(default_factory=CalendarCache, compare=False)

    def now(self) -> datetime:
        """The current instant, in whole milliseconds as storage keeps it."""
        return whole_ms(self.clock.now())

    def exclusions(self, schedules: Iterable[Timed]) -> dict[str, Exclusions]:
        """By schedule id what does not fire although the rule has it."""
        return of_all(self.repository, self.calendars, schedules)

    @property
    def window(self) -> timedelta:
        """How far ahead occurrences are queued."""
        return timedelta(minutes=self.settings.prequeuer.event_timeframe_minutes)
