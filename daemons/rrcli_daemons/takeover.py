"""Another server in place of the queues' own: a replica that took over may lack the newest claims.

It offers then what a live worker is calling. That worker claims it anew within SETTLE_SECONDS, as after a
loss of the queues; until then the others leave alone what had been handed over before.
"""

from datetime import datetime, timedelta

from rrcli.core.models import Event, EventState
from rrcli.operations.context import Context
from rrcli.operations.handover import AHEAD
from rrcli.operations.leases import RENEW_SECONDS, SETTLE_SECONDS


class Takeover:
    """What one worker knows of it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._queues = context.repository.queues
        self._incarnation: str | None = None
        self._connections = 0
        self._noticed: datetime | None = None
        self._settled = 0.0

    @property
    def is_watching(self) -> bool:
        """Whether it knows the server that is talked to: a connection made anew may lead to another."""
        return self._incarnation is not None and self._connections == self._queues.connections()

    def look(self) -> bool:
        """Notice another server, and say so; to be asked when not `is_watching`, and after every outage.

        Raises StoreUnavailable.
        """
        self._connections = self._queues.connections()
        incarnation = self._queues.incarnation()
        is_other = self._incarnation not in (None, incarnation)
        if is_other:
            self._noticed = self._context.now()
            self._settled = self._context.clock.monotonic() + SETTLE_SECONDS
        self._incarnation = incarnation
        return is_other

    def waits_until(self, event: Event, claimed: float | None) -> datetime | None:
        """When an event may be called; None: at once, since nobody else can be calling it.

        `claimed`: by the monotonic clock, before the claim was made; None when that is unknown. What was
        claimed too early goes back: who calls it claims it anew, and tries that with every renewal.
        """
        is_from_before = (
            self._noticed is not None
            and event.state is EventState.WORKER
            and event.status[-1].time < self._noticed
        )
        if not is_from_before or (claimed is not None and claimed >= self._settled):
            return None
        rest = timedelta(seconds=self._settled - self._context.clock.monotonic())
        # It is handed over ahead of that, and must not be claimed too early again.
        return self._context.now() + max(rest + 2 * AHEAD, timedelta(seconds=2 * RENEW_SECONDS))
