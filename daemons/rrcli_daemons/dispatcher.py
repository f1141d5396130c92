"""dispatcher: entries of the ready queue whose time is near -> worker queue.

The ledger is told first, then the entry moves: a crash in between leaves the entry where it was, and the
next dispatcher does both again. An event whose ledger state is still `ready_queue` has never left the ready
queue, so it may safely be put there once more.

Both are done a moment ahead, for all of a short stretch together: a write of the ledger waits for a disk, and
a worker has to read what it calls. The worker begins each call at its time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rrcli.metrics import Tally
from rrcli.operations.context import Context
from rrcli.operations.handover import AHEAD
from rrcli.repository.base import Channel
from rrcli_daemons.loop import Wakeable

EVENTS_PER_PASS = 1000

PACE = timedelta(milliseconds=2)
"""Shortest time between two passes that are not full: runs asked for one by one move in small groups."""


class Dispatcher:
    """One dispatcher; any number may run side by side."""

    name = "dispatcher"
    channel: Channel | None = Channel.DISPATCHER
    sources: Sequence[Wakeable] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._dispatched = 0
        self.tally = Tally()

    def counters(self) -> Mapping[str, float]:
        return {"dispatched": float(self._dispatched)}

    def finish(self) -> datetime | None:
        return None

    def run_once(self, now: datetime, *, called: bool = True) -> datetime | None:
        """Tell the ledger of what is due within AHEAD and move it; when to look again.

        At half of AHEAD before the next entry's time: what is due shortly after it comes along.
        """
        repository = self._context.repository
        until = now + AHEAD
        due = repository.queues.due(until, EVENTS_PER_PASS)
        if due:
            repository.events.dispatched(due, now, due_by=until)
            self._dispatched += repository.queues.promote(due)
        if len(due) == EVENTS_PER_PASS:
            return now
        head = repository.queues.head()
        return head and max(head - AHEAD / 2, now + PACE)
