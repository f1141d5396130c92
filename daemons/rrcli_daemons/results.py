"""Results of calls on their way into the ledger: written on a thread of their own, while new calls start."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from threading import Lock

from rrcli.core.models import Event
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.repository.base import QueueEntry
from rrcli_daemons.bell import Bell


class Results:
    """What ended, and what is to be tried again. Nothing leaves it before it is written down.

    For one thread: `begin` starts the writing, `finish` waits for it. In between it goes on collecting, so
    that a slow disk makes the batches larger, not the calls fewer.
    """

    def __init__(self, context: Context, instance: str) -> None:
        self._context = context
        self._repository = context.repository
        self._instance = instance
        self._ended: list[Event] = []
        self._again: list[Event] = []
        self._writing_ended: list[Event] = []
        self._writing_again: list[Event] = []
        self._noted: list[Event] = []
        self._archived: list[Event] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rrcli-results")
        self._written: Future[None] | None = None
        self._lock = Lock()
        self._bell = Bell()
        self._open = True

    def fileno(self) -> int:
        """A descriptor that is readable when what `begin` started is done, until `finish`."""
        return self._bell.fileno()

    def __len__(self) -> int:
        """How many are not known to be written down and given up."""
        return sum(map(len, self._parts))

    @property
    def wait(self) -> bool:
        """Whether there are any that nobody writes down."""
        return self._written is None and len(self) > 0

    @property
    def ids(self) -> set[str]:
        """What is not known to be written down and given up, without waiting."""
        return {event.id for event in self._all}

    @property
    def unwritten(self) -> list[Event]:
        """Everything that is not written down; waits for what is being written, and raises nothing."""
        if self._written is not None:
            wait([self._written])
        return self._all

    @property
    def _all(self) -> list[Event]:
        return [event for part in self._parts for event in part]

    @property
    def _parts(self) -> tuple[list[Event], ...]:
        writing = (self._writing_ended, self._writing_again, self._noted, self._archived)
        return (*writing, self._ended, self._again)

    def ended(self, event: Event) -> None:
        """Its last status is to be written, and its claim given up."""
        self._ended.append(event)

    def again(self, event: Event) -> None:
        """Its attempt is to be written, and its claim returned to the ready queue."""
        self._again.append(event)

    def look(self) -> None:
        """Take note of what has been written by now. Raises as `finish`."""
        if self._written is not None and self._written.done():
            self.finish()

    def begin(self, now: datetime) -> None:
        """Start to write what there is, unless writing is under way. Raises as `finish`."""
        self.look()
        if self._written is None and len(self):
            self._writing_ended, self._ended = self._ended, []
            self._writing_again, self._again = self._again, []
            self._written = self._thread.submit(self._write_and_ring, now)

    def finish(self) -> None:
        """Wait until what `begin` started is written. Raises what the store raised: then it is still here."""
        if self._written is None:
            return
        written, self._written = self._written, None
        try:
            written.result()
        finally:
            with self._lock:
                self._bell.hush()
            self._ended, self._writing_ended = self._writing_ended + self._ended, []
            self._again, self._writing_again = self._writing_again + self._again, []

    def write_all(self, now: datetime) -> None:
        """Everything is written down when this returns. Raises as `finish`."""
        self.finish()
        self.begin(now)
        self.finish()

    def close(self) -> None:
        """End the thread, after what it writes. Safe twice."""
        self._thread.shutdown()
        if self._open:
            self._open = False
            self._bell.close()

    def _write_and_ring(self, now: datetime) -> None:
        try:
            self._write(now)
        finally:
            with self._lock:
                self._bell.ring()

    def _write(self, now: datetime) -> None:
        """Ledger first, queues second; each part is dropped once it is done, and not done a second time.

        While the queues are away the ledger has all that it can have, and the other way round.
        """
        again, ended = self._writing_again, self._writing_ended
        if again:
            self._repository.events.save(again)
            # Once the queue has it, another worker may write on: then it must not be saved a second time.
            self._noted = [*self._noted, *again]
            self._writing_again = []
        try:
            if ended:
                not_live = self._repository.events.archive(ended, now)
                self._forget_deleted(event for event in ended if event.id in not_live)
                self._archived = [*self._archived, *ended]
                self._writing_ended = []
        finally:
            if self._noted:
                entries = [QueueEntry(event_id=event.id, due=event.due) for event in self._noted]
                self._repository.queues.retry(self._instance, entries)
                self._noted = []
        if self._archived:
            self._repository.queues.acknowledge(self._instance, [event.id for event in self._archived])
            self._archived = []

    def _forget_deleted(self, events: Iterable[Event]) -> None:
        """Results of calls whose schedule was deleted meanwhile leave nothing behind."""
        ids = {event.schedule_id for event in events}
        if not ids:
            return
        for schedule_id in ids - self._repository.schedules.known(ids):
            schedules.forget(self._context, schedule_id)
