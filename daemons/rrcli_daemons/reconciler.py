"""Agreement of ledger and queues: live events that stand in no queue are queued again.

Looked for at start, every minute, and as soon as the queues are found empty or replaced. Then events that
workers may be calling wait until every live worker had time to say so (`operations/leases.py`). While the
queues are known to be whole, a walk takes a small share of the time only, however much is queued.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from rrcli.core.models import EventState
from rrcli.operations.context import Context
from rrcli.operations.leases import SETTLE_SECONDS
from rrcli.repository.base import QueueEntry, Standing

log = logging.getLogger(__name__)

EVENTS_PER_STEP = 2000
INTERVAL_SECONDS = 60.0
REST = 19.0
"""How many times as long as a batch took is the wait before the next, while nothing is known to be lost."""

FRESH = timedelta(seconds=5)
"""An event that changed so shortly ago is on its way from the ledger to a queue."""


class Reconciler:
    """Walks the live events in small steps, so that the prequeuer's ticks do not wait for it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._incarnation: str | None = None
        self._settled: float | None = None
        self._next_walk = self._rests_until = 0.0
        self._after_id: str | None = None
        self._careful = False
        self._found = 0
        self.total = 0

    def step(self, now: datetime) -> datetime | None:
        """One batch, if a walk is due or under way; when the next one is, None at the end of the walk."""
        monotonic = self._context.clock.monotonic()
        self._look_for_loss(monotonic)
        if self._after_id is None:
            if not self._is_due(monotonic):
                return None
            self._after_id, self._found = "", 0
        elif monotonic < self._rests_until:
            return now + timedelta(seconds=self._rests_until - monotonic)
        batch = self._context.repository.events.standings(after_id=self._after_id, limit=EVENTS_PER_STEP)
        self._requeue(batch, now)
        if len(batch) == EVENTS_PER_STEP:
            self._after_id = batch[-1].event_id
            return self._rest(now, monotonic)
        self._end(monotonic)
        return None

    def _rest(self, now: datetime, began: float) -> datetime:
        """When the next batch is due, after one that `began` then."""
        took = self._context.clock.monotonic() - began
        rest = took * REST if self._careful else 0.0
        self._rests_until = began + took + rest
        return now + timedelta(seconds=took + rest)

    def _look_for_loss(self, monotonic: float) -> None:
        """Other queues than the last time: walk from the start, at once."""
        incarnation = self._context.repository.queues.incarnation()
        if incarnation != self._incarnation:
            if self._incarnation is not None:
                log.warning("The queues were emptied or replaced", extra={"action": "queues_lost"})
            self._after_id, self._found = "", 0
            self._careful, self._rests_until = False, 0.0
            self._settled = monotonic + SETTLE_SECONDS
            self._incarnation = incarnation

    def _is_due(self, monotonic: float) -> bool:
        if self._settled is not None and monotonic >= self._settled:
            self._settled = None
            return True
        return monotonic >= self._next_walk

    def _requeue(self, batch: Sequence[Standing], now: datetime) -> None:
        queues, events = self._context.repository.queues, self._context.repository.events
        missing = queues.missing([each.event_id for each in batch])
        if not missing:
            return
        # A crash between the two writes of an archiving leaves its event live as well.
        ended = events.archived(missing)
        events.discard(ended)
        lost = [each for each in batch if each.event_id in missing and each.event_id not in ended]
        if self._settled is not None:
            lost = [each for each in lost if each.state is not EventState.WORKER]
        if self._careful:
            moving = self._moving({each.event_id for each in lost}, now)
            lost = [each for each in lost if each.event_id not in moving]
        self._found += queues.add([QueueEntry(event_id=each.event_id, due=each.due) for each in lost])

    def _moving(self, ids: Collection[str], now: datetime) -> set[str]:
        """Those that changed just now, or have ended since they were read."""
        stored = self._context.repository.events.get(ids) if ids else {}
        return {
            event_id
            for event_id in ids
            if event_id not in stored or abs(now - stored[event_id].status[-1].time) < FRESH
        }

    def _end(self, monotonic: float) -> None:
        self._after_id = None
        self._next_walk = monotonic + INTERVAL_SECONDS
        # Once the queues are known to be whole, what is missing is rare, and worth a second look.
        self._careful = self._settled is None
        if self._found:
            self.total += self._found
            log.warning(
                "Queued %d events again that stood in no queue", self._found, extra={"action": "reconciled"}
            )
