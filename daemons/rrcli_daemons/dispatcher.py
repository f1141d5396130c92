"""dispatcher: entries of the ready queue that are due -> worker queue.

The ledger is told first, then the entry moves: a crash in between leaves the entry where it was, and the
next dispatcher does both again. An event whose ledger state is still `ready_queue` has never left the ready
queue, so it may safely be put there once more.

The ledger is told a moment ahead, because its write waits for a disk: when the time has come, one call moves
the entry.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rrcli.metrics import Tally
from rrcli.operations.context import Context
from rrcli.repository.base import Channel
from rrcli_daemons.loop import Wakeable

EVENTS_PER_PASS = 1000

AHEAD = timedelta(milliseconds=100)
"""How long before its time the ledger says of an event that it is handed over: at most; at least half."""

PACE = timedelta(milliseconds=2)
"""Shortest time between two passes that are not full: events that are due one by one move in small groups."""


class Dispatcher:
    """One dispatcher; any number may run side by side."""

    name = "dispatcher"
    channel: Channel | None = Channel.DISPATCHER
    sources: Sequence[Wakeable] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: set[str] = set()
        self._told_until: datetime | None = None
        self._dispatched = 0
        self.tally = Tally()

    def counters(self) -> Mapping[str, float]:
        return {"dispatched": float(self._dispatched)}

    def finish(self) -> datetime | None:
        return None

    def run_once(self, now: datetime) -> datetime | None:
        """Move what is due, and tell the ledger what soon will be; when the next entry is due."""
        queues = self._context.repository.queues
        due = queues.due(now, EVENTS_PER_PASS)
        if due:
            self._tell(due, now, due_by=now)
            self._dispatched += queues.promote(due)
            # One that fails at once may be due again before the ledger is told of the next stretch.
            self._told.difference_update(due)
        if len(due) == EVENTS_PER_PASS:
            return now
        told_until = self._look_ahead(now)
        head = queues.head()
        if head is None or head <= told_until:
            return head and max(head, now + PACE)
        return head - AHEAD / 2

    def _look_ahead(self, now: datetime) -> datetime:
        """Tell the ledger of what will be due, all at once for a while; until when it has been told now."""
        until = self._told_until
        # Also when the clock was set back: then it lies further ahead than it can.
        if until is None or not AHEAD / 2 < until - now <= AHEAD:
            until = self._told_until = now + AHEAD
            soon = self._context.repository.queues.due(until, EVENTS_PER_PASS)
            self._tell(soon, now, due_by=until)
            self._told = set(soon)
        return until

    def _tell(self, ids: Sequence[str], now: datetime, *, due_by: datetime) -> None:
        """Note in the ledger that these are handed over, unless that was done."""
        new = [event_id for event_id in ids if event_id not in self._told]
        if new:
            self._context.repository.events.dispatched(new, now, due_by=due_by)
