"""dispatcher: entries of the ready queue that are due -> worker queue.

The ledger is told first, then the entry moves: a crash in between leaves the entry where it was, and the
next dispatcher does both again. An event whose ledger state is still `ready_queue` has never left the ready
queue, so it may safely be put there once more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rrcli.operations.context import Context
from rrcli.repository.base import Channel
from rrcli_daemons.loop import Wakeable

EVENTS_PER_PASS = 1000


class Dispatcher:
    """One dispatcher; any number may run side by side."""

    name = "dispatcher"
    channel: Channel | None = Channel.DISPATCHER
    sources: Sequence[Wakeable] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._dispatched = 0

    def counters(self) -> Mapping[str, float]:
        return {"dispatched": float(self._dispatched)}

    def finish(self) -> datetime | None:
        return None

    def run_once(self, now: datetime) -> datetime | None:
        """Move what is due; when the next entry is due."""
        queues = self._context.repository.queues
        due = queues.due(now, EVENTS_PER_PASS)
        if due:
            self._context.repository.events.dispatched(due, now)
            self._dispatched += queues.promote(due)
        return now if len(due) == EVENTS_PER_PASS else queues.head()
