"""Another server in place of the queues' own: a replica that took over may lack the newest claims.

It offers then what a live worker is calling. That worker claims it anew within SETTLE_SECONDS, as after a
loss of the queues; until then the others leave alone what had been handed over before.
"""

from datetime import datetime, timedelta

from rrcli.core.models import Event, EventState
from rrcli.operations.context import Context
from rrcli.operations.leases import SETTLE_SECONDS


class Takeover:
    """What one worker knows of it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._incarnation: str | None = None
        self._noticed: datetime | None = None
        self._settled = 0.0

    @property
    def is_watching(self) -> bool:
        """Whether it knows the server to compare others with."""
        return self._incarnation is not None

    def look(self, now: datetime) -> None:
        """Notice another server; to be asked at the start and after every outage. Raises StoreUnavailable."""
        incarnation = self._context.repository.queues.incarnation()
        if self._incarnation not in (None, incarnation):
            self._noticed = now
            self._settled = self._context.clock.monotonic() + SETTLE_SECONDS
        self._incarnation = incarnation

    def waits_until(self, event: Event, now: datetime) -> datetime | None:
        """When a claimed event may be called; None: at once, since nobody else can be calling it."""
        if self._noticed is None or event.state is not EventState.WORKER:
            return None
        rest = self._settled - self._context.clock.monotonic()
        if rest <= 0:
            self._noticed = None
            return None
        return now + timedelta(seconds=rest) if event.status[-1].time < self._noticed else None
