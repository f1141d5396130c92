"""worker: claimed events -> HTTP calls -> archive, or the ready queue again for a retry.

Claims are held under a lease and acknowledged only after the ledger has the result, so a worker may die at
any instruction: what it held comes back, and what the archive already has is not called again.
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from rrcli.core import request
from rrcli.core.exclusions import Exclusions
from rrcli.core.models import Event, EventState, Kind, Overlap, Schedule
from rrcli.core.request import Request
from rrcli.core.retry import Outcome, Verdict, judge, next_attempt
from rrcli.core.sealed import cannot_be_opened, sealed_fields
from rrcli.errors import InvalidRule, StoreUnavailable
from rrcli.metrics import SKIPPED, Tally
from rrcli.operations import changes, stale
from rrcli.operations.auto_pause import pause_after_failures
from rrcli.operations.context import Context
from rrcli.operations.handover import AHEAD
from rrcli.operations.leases import RENEW_SECONDS, SETTLE_SECONDS
from rrcli.operations.window import too_late
from rrcli.repository.base import DISPATCHED, Channel, QueueEntry
from rrcli_daemons.decisions import is_repeated, misfired, tried, waits_its_turn
from rrcli_daemons.loop import Wakeable
from rrcli_daemons.measured import note_calls
from rrcli_daemons.overlap import WAITS, is_overlapped, start_next
from rrcli_daemons.pace import Pace
from rrcli_daemons.results import Results
from rrcli_daemons.sender import Sender
from rrcli_daemons.takeover import Takeover

log = logging.getLogger(__name__)

EVENTS_PER_CLAIM = 500
REAP_INTERVAL_SECONDS = 3.0
LOOK_SECONDS = 10.0
"""How often a worker asks what the queues say it holds."""

OVERLAP_WAIT = timedelta(seconds=5)
"""An event with overlap policy `queue` starts when the one before it ends; this often it looks by itself."""

CALLS_PER_SUBMIT = 20
"""The first calls of a large claim begin while the others are made ready."""

WRITE_SECONDS = 0.02
"""Shortest time between the beginnings of two writes of results, while many calls end."""

GIVE_BACK_SECONDS = 0.5
"""What was claimed ahead of its turn waits so long for it at most."""

_UNREAD = "The schedule cannot be read, as the log says; mend it, and replay this event"


class Worker:
    """One worker process with many calls in flight; any number may run side by side."""

    name = "worker"
    channel: Channel | None = Channel.WORKER

    def __init__(
        self, context: Context, sender: Sender, *, instance: str, rng: Callable[[], float] = random.random
    ) -> None:
        self._context = context
        self._repository = context.repository
        self._sender = sender
        self._instance = instance
        self._random = rng
        settings = context.settings.worker
        self._capacity = settings.count * settings.concurrency
        self._max_retries = settings.max_retries
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._next_extend = 0.0
        # Also right after an outage, which may have outlasted every lease: live workers renew theirs first.
        self._next_reap = context.clock.monotonic() + min(SETTLE_SECONDS, settings.lease_seconds)
        self._next_look = 0.0
        self._next_write = 0.0
        self._claimed: dict[str, tuple[Event, Schedule]] = {}
        self._early: dict[str, tuple[Event, float]] = {}
        """Claimed ahead of their time, by the monotonic clock, when it is asked what they overlap."""
        self._pace = Pace()
        self._unsure = False
        self._contested = 0  # so many in hand another worker had claimed, too, as the last look said
        self._left = False
        self._takeover = Takeover(context)
        self._results = Results(context, instance)
        self._gone: list[str] = []
        self._freed: set[str] = set()
        self._failing: set[str] = set()
        self.tally = Tally()
        self._counters = {"completed": 0.0, "failed": 0.0, "retried": 0.0, "skipped": 0.0, "reaped": 0.0}

    @property
    def sources(self) -> Sequence[Wakeable]:
        return (self._sender, self._results)

    def counters(self) -> Mapping[str, float]:
        return self._counters | {"in_flight": float(len(self._claimed) + len(self._early))}

    def run_once(self, now: datetime, *, called: bool = True) -> datetime | None:
        """Claim and start what there is room for, while what has ended is written down.

        Not `called`, it claims only what it had no room for the last time.
        """
        unsure = self._unsure
        if unsure:
            self._next_extend = self._next_look = 0.0
            self._next_reap = self._context.clock.monotonic() + SETTLE_SECONDS
        self._collect(now)
        self._keep_lease(now)
        self._unsure = True
        self._watch_for_takeover(unsure=unsure)
        self._take_up_lost_claims(now)
        self._start_early(now)
        self._begin_to_write(now)
        self._give_back_waiting()
        room, claimed = self._room, self._context.clock.monotonic()
        ids: list[str] = []
        if called or self._left:
            self._left = True
            # While there is enough that follows, larger batches are cheaper.
            if room > self._ahead // 2:
                ids = self._claim(room)
                self._left = len(ids) == room
        self._watch_for_takeover()
        self._start(ids, now, claimed)
        is_busy = self._pace.is_busy(self._context.clock.monotonic())
        rests = not is_busy and not (ids and self._claimed)
        if rests or self._freed or self._failing or self._gone:
            self._settle(now)
        self._begin_to_write(now)
        self._unsure = False
        if ids and len(ids) == room and self._room > 0:
            return now
        return self._next_look_at(now)

    def _next_look_at(self, now: datetime) -> datetime | None:
        """When there is something to do that nothing else will tell of."""
        seconds = [begins - self._context.clock.monotonic() for _, begins in self._early.values()]
        if len(self._claimed) > self._capacity:
            seconds.append(GIVE_BACK_SECONDS)
        if self._results.wait:
            seconds.append(WRITE_SECONDS)
        return now + timedelta(seconds=max(min(seconds), 0.0)) if seconds else None

    def _begin_to_write(self, now: datetime) -> None:
        """Write down what has ended; while much does and more will, in fewer and larger parts."""
        self._results.look()
        monotonic = self._context.clock.monotonic()
        gathers = self._pace.is_busy(monotonic) and bool(self._claimed) and monotonic < self._next_write
        if self._results.wait and not gathers:
            self._results.begin(now)
            self._next_write = monotonic + WRITE_SECONDS

    def _claim(self, room: int) -> list[str]:
        """Ids to start; none that is being called already, as an older state of the queues may offer."""
        holding = bool(self._claimed or self._early or len(self._results))
        ids = self._repository.queues.claim(self._instance, room, self._lease, holding=holding)
        unwritten = self._results.ids
        if not unwritten.isdisjoint(ids):
            # It came back before the reply that it was given up; with the reply, what is held is looked for.
            self._next_look = 0.0
        return [event_id for event_id in ids if not self._has(event_id) and event_id not in unwritten]

    def _has(self, event_id: str) -> bool:
        """Whether it is being called, or will be."""
        return event_id in self._claimed or event_id in self._early

    @property
    def _room(self) -> int:
        """How many to claim; none while far too many results wait to be written.

        While calls end quickly, those that will follow them are claimed and loaded meanwhile.
        """
        waiting = max(len(self._results) - 2 * self._capacity, 0)
        held = len(self._claimed) + len(self._early)
        return min(self._capacity + self._ahead - held - waiting, EVENTS_PER_CLAIM)

    @property
    def _ahead(self) -> int:
        return min(self._pace.lately(self._context.clock.monotonic()), 2 * self._capacity)

    def _watch_for_takeover(self, *, unsure: bool = False) -> None:
        """A connection that was made anew, without any error, may have claimed from another server."""
        if (unsure or not self._takeover.is_watching) and self._takeover.look():
            self._next_extend = self._next_look = 0.0

    def _give_back_waiting(self) -> None:
        """What was claimed ahead and waits, since calls take longer now: others may have room for it."""
        if len(self._claimed) > self._capacity:
            self._give_back(self._withdrawn(GIVE_BACK_SECONDS))

    def _withdrawn(self, waiting_seconds: float | None) -> list[Event]:
        return [self._claimed.pop(event_id)[0] for event_id in self._sender.withdraw(waiting_seconds)]

    def _give_back(self, not_begun: Sequence[Event]) -> None:
        """Claims whose calls have not begun."""
        if not_begun:
            entries = [QueueEntry(event_id=event.id, due=event.due) for event in not_begun]
            self._repository.queues.retry(self._instance, entries)

    def _take_up_lost_claims(self, now: datetime) -> None:
        """Claims whose reply was lost: looked for after an outage, and later, too.

        One that was sent just before a time-out may take effect after the outage has ended.
        """
        monotonic = self._context.clock.monotonic()
        if monotonic < self._next_look:
            return
        self._next_look = monotonic + LOOK_SECONDS
        self._settle(now)
        lost = self._repository.queues.held(self._instance) - self._claimed.keys() - self._early.keys()
        self._start(list(lost), now, None)

    def _start_early(self, now: datetime) -> None:
        """What was claimed ahead, and whose time has come."""
        monotonic = self._context.clock.monotonic()
        ripe = [event_id for event_id, (_, begins) in self._early.items() if begins <= monotonic]
        for event_id in ripe:
            del self._early[event_id]
        self._start(ripe, now, None, ripe=True)

    def finish(self) -> datetime | None:
        """Wait for the calls in flight; None when all have ended and are written down."""
        now = self._context.now()
        self._collect(now)
        self._keep_lease(now)
        early, self._early = self._early, {}
        self._give_back([*self._withdrawn(None), *(event for event, _ in early.values())])
        self._settle(now)
        return now + self._lease if self._claimed else None

    def close(self) -> None:
        """Stop the calls still in flight and give all claims back to the others."""
        self._sender.abort()
        self._sender.close()
        self._results.close()
        self._repository.queues.release(self._instance)

    def _keep_lease(self, now: datetime) -> None:
        """Renew what is held, and end what others hold no more."""
        try:
            self._renew()
        except StoreUnavailable:
            self._unsure = True
            with suppress(StoreUnavailable):
                # What has ended: a replica that takes over may offer it to others.
                self._results.begin(now)
            raise

    def _renew(self) -> None:
        monotonic = self._context.clock.monotonic()
        if monotonic >= self._next_extend and (self._claimed or self._early or len(self._results)):
            # After an outage the server may be another one, which has an older state of the queues.
            doubtful = self._unsure or self._contested
            if doubtful or not self._repository.queues.extend(self._instance, self._lease):
                self._retake()
                self._takeover.look()
            self._next_extend = monotonic + min(self._lease.total_seconds() / 3, RENEW_SECONDS)
        if monotonic >= self._next_reap:
            reaped = self._repository.queues.reap()
            self._next_reap = monotonic + REAP_INTERVAL_SECONDS
            if reaped:
                self._counters["reaped"] += reaped
                log.warning(
                    "Took back %d events of a worker that is gone", reaped, extra={"action": "reaped"}
                )

    @property
    def _in_hand(self) -> list[Event]:
        """What is being called, or was and is not written down yet."""
        early = (event for event, _ in self._early.values())
        return [*(event for event, _ in self._claimed.values()), *early, *self._results.unwritten]

    def _retake(self) -> None:
        """The queues may have lost or returned what is in hand here: nobody else shall call it now."""
        entries = [QueueEntry(event_id=event.id, due=event.due) for event in self._in_hand]
        elsewhere = len(self._repository.queues.retake(self._instance, entries, self._lease))
        contested, self._contested = self._contested, elsewhere
        if contested and contested == elsewhere:
            return  # as before
        said = "Claimed %d events in flight anew; %d of them are called by others, too"
        count = len(entries)
        log.warning(said, count, elsewhere, extra={"action": "lease_lost", "in_flight": count})

    def _start(self, ids: Sequence[str], now: datetime, claimed: float | None, ripe: bool = False) -> None:
        """Send what is to be sent of a batch `claimed` then; put the rest where it belongs.

        What is claimed ahead of its time is sent then; of `ripe` ones it has come.
        """
        if not ids:
            return
        live, archived = self._repository.events.claimed(ids)
        events = self._told(live, now)
        schedule_ids = {event.schedule_id for event in events.values()}
        known = self._repository.schedules.get(schedule_ids)
        missing = schedule_ids - known.keys()
        unread = self._repository.schedules.known(missing) if missing else set()
        exclusions = self._context.exclusions(known.values())
        calls: list[tuple[Event, Schedule, Request]] = []
        # What is not live any more has ended, or is there and cannot be read: then it is left alone.
        unknown = [event_id for event_id in ids if event_id not in events]
        dropped: list[str] = []
        waiting: list[QueueEntry] = []
        kept_waiting: list[Event] = []
        for event in events.values():
            schedule = known.get(event.schedule_id)
            if event.id in archived or (schedule is None and event.schedule_id not in unread):
                dropped.append(event.id)
            elif schedule is None:
                self._counters["failed"] += 1
                self._results.ended(event.moved(EventState.ERROR, now, _UNREAD))
            elif event.state is EventState.RETRY and event.due > now + AHEAD:
                waiting.append(QueueEntry(event_id=event.id, due=event.due))
            elif not ripe and (until := self._takeover.waits_until(event, claimed)) is not None:
                waiting.append(QueueEntry(event_id=event.id, due=until))
            elif schedule.overlap is not Overlap.ALLOW and event.due > now and not ripe:
                begins = self._context.clock.monotonic() + min(event.due - now, AHEAD).total_seconds()
                self._early[event.id] = (event, begins)
            elif ended := self._ended_before_call(schedule, exclusions[schedule.id], event, now):
                self._results.ended(ended)
                self._note_end(schedule)
            elif waits_its_turn(schedule, event) and self._is_overlapped(event, now):
                waiting.append(QueueEntry(event_id=event.id, due=now + OVERLAP_WAIT))
                if event.status[-1].message != WAITS:
                    kept_waiting.append(event.moved(EventState.WORKER, now, WAITS))
            elif built := self._request(schedule, event, now):
                calls.append((event, schedule, built))
                if len(calls) == CALLS_PER_SUBMIT:
                    self._submit(calls)
                    calls = []
        self._submit(calls)
        if dropped:
            self._repository.events.discard(dropped)
        if dropped or unknown:
            self._repository.queues.acknowledge(self._instance, dropped + unknown)
        if kept_waiting:
            self._repository.events.save(kept_waiting)
        if waiting:
            self._repository.queues.retry(self._instance, waiting)

    def _submit(self, calls: Sequence[tuple[Event, Schedule, Request]]) -> None:
        """From here on they are known as being called; what a batch that broke off did not reach is not."""
        self._claimed.update({event.id: (event, schedule) for event, schedule, _ in calls})
        self._sender.submit([(event.id, built) for event, _, built in calls])

    def _told(self, events: dict[str, Event], now: datetime) -> dict[str, Event]:
        """The events, with a ledger that knows of all that are called now that somebody may be calling them.

        A dispatcher that told of one before it became a retry, at another dispatcher, moves it untold.
        """
        until = now + AHEAD
        untold = [
            each for each in events.values() if each.state is not EventState.WORKER and each.due <= until
        ]
        if not untold:
            return events
        self._repository.events.dispatched([each.id for each in untold], now, due_by=until)
        return events | {each.id: each.moved(EventState.WORKER, now, DISPATCHED) for each in untold}

    def _request(self, schedule: Schedule, event: Event, now: datetime) -> Request | None:
        """The call to make; None, and the event ends, where another program stored what cannot be sent."""
        try:
            return request.build(schedule, event, now=now)
        except (TypeError, ValueError) as error:
            self._counters["failed"] += 1
            why = f"The schedule holds what cannot be sent: {error}"
            self._results.ended(event.moved(EventState.ERROR, now, why))
            self._note_end(schedule)
            log.error("%s", why, extra=_keys("failed", event))
            return None

    def _ended_before_call(
        self, schedule: Schedule, exclusions: Exclusions, event: Event, now: datetime
    ) -> Event | None:
        """The event with its last status when it must not be called; None when it is to be called."""
        try:
            if taken_out := stale.taken_out(schedule, exclusions, event, now):
                if taken_out.state is EventState.SKIPPED:
                    self._note_skip("excluded")
                return taken_out
            why = too_late(schedule, 1) if misfired(schedule, exclusions, event, now) else None
            reason = "misfire"
        except InvalidRule as error:
            self._counters["failed"] += 1
            return event.moved(EventState.ERROR, now, f"The schedule's rule cannot be read: {error.message}")
        if (
            why is None
            and schedule.overlap is Overlap.SKIP
            and not is_repeated(event)
            and self._is_overlapped(event, now)
        ):
            why, reason = "An earlier occurrence had not ended; overlap policy skip", "overlap"
        if why is None:
            return self._ended_unreadable(schedule, event, now)
        self._note_skip(reason)
        return event.moved(EventState.SKIPPED, now, why)

    def _note_skip(self, reason: str) -> None:
        self._counters["skipped"] += 1
        self.tally.count(SKIPPED, 1, reason)

    def _is_overlapped(self, event: Event, now: datetime) -> bool:
        """Asked of a ledger that has all results."""
        self._results.write_all(now)
        return is_overlapped(self._repository, event, now)

    def _ended_unreadable(self, schedule: Schedule, event: Event, now: datetime) -> Event | None:
        """The event, ended, when its request cannot be made because no key decrypts it; else None."""
        sealed = sealed_fields(schedule)
        if not sealed:
            return None
        why = cannot_be_opened(schedule, sealed)
        self._counters["failed"] += 1
        log.error("Not called: %s", why, extra=_keys("undecryptable", event))
        return event.moved(EventState.ERROR, now, f"{why}, and replay this event")

    def _note_end(self, schedule: Schedule) -> None:
        """Another event of the schedule may be waiting for this end."""
        if schedule.overlap is not Overlap.ALLOW:
            self._freed.add(schedule.id)

    def _collect(self, now: datetime) -> None:
        """Judge the calls that have ended."""
        ended = self._sender.collect()
        if ended:
            self._pace.ended(len(ended), self._context.clock.monotonic())
            note_calls(self.tally, [(self._claimed[event_id][0], outcome) for event_id, outcome in ended])
        for event_id, outcome in ended:
            event, schedule = self._claimed.pop(event_id)
            self._judge(event, schedule, outcome, now)

    def _settle(self, now: datetime) -> None:
        """Write down everything that has ended; repeated as a whole when the store fails in between."""
        self._results.write_all(now)
        while self._freed:
            schedule_id = next(iter(self._freed))
            start_next(self._repository, schedule_id, now)
            self._freed.discard(schedule_id)
        while self._failing:
            schedule_id = next(iter(self._failing))
            pause_after_failures(self._context, schedule_id)
            self._failing.discard(schedule_id)
        while self._gone:
            changes.stop_after_gone(self._context, self._gone[-1])
            self._gone.pop()

    def _judge(self, event: Event, schedule: Schedule, outcome: Outcome, now: datetime) -> None:
        """Turn one outcome into the event's next state."""
        verdict = judge(outcome)
        if verdict is Verdict.SUCCESS:
            self._note_end(schedule)
            self._counters["completed"] += 1
            self._results.ended(
                tried(event, outcome, EventState.COMPLETED, now, "Event successfully processed")
            )
            return
        number = len(event.attempts) + 1
        what = outcome.error or f"HTTP {outcome.status_code}"
        allowed = self._max_retries if schedule.max_retries is None else schedule.max_retries
        if verdict is Verdict.RETRY and number <= allowed:
            self._retry(event, schedule, outcome, what, now)
            return
        self._note_end(schedule)
        self._counters["failed"] += 1
        if schedule.auto_pause_after and event.kind is Kind.SCHEDULED:
            self._failing.add(schedule.id)
        if verdict is Verdict.GONE:
            self._gone.append(schedule.id)
            why = "HTTP 410: the receiver wants no more calls; the schedule is paused"
        elif verdict is Verdict.FINAL:
            why = f"{what}: not tried again"
        else:
            why = f"{what}: gave up after {number} attempts"
        self._results.ended(tried(event, outcome, EventState.ERROR, now, why))
        log.warning("Callback failed: %s", why, extra=_keys("failed", event))

    def _retry(self, event: Event, schedule: Schedule, outcome: Outcome, what: str, now: datetime) -> None:
        number = len(event.attempts) + 1
        due = next_attempt(
            schedule.retry,
            attempts=number,
            now=now,
            random=self._random(),
            retry_after=outcome.retry_after,
        )
        self._counters["retried"] += 1
        seconds = (due - now).total_seconds()
        message = f"Attempt {number} failed: {what}; next attempt in {seconds:.1f} s"
        self._results.again(tried(event, outcome, EventState.RETRY, now, message, due=due))
        log.info("Callback failed, will be tried again: %s", what, extra=_keys("retry", event))


def _keys(action: str, event: Event) -> dict[str, str]:
    return {"action": action, "event_id": event.id, "schedule_id": event.schedule_id}
