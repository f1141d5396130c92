"""prequeuer: schedules whose watermark lies inside the window -> events, ready_queue, new watermarks.

It also keeps ledger and queues in agreement (`reconciler.py`).
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import random

from rrcli.core.models import ScheduleState, Timetable
from rrcli.errors import Conflict, InvalidRule, NotFound
from rrcli.metrics import SKIPPED, TICK_SECONDS, Tally
from rrcli.operations import changes, schedules
from rrcli.operations.context import Context
from rrcli.operations.rules import recurrence_of
from rrcli.operations.window import EVENTS_PER_PASS, Filled, queue_window, together
from rrcli.repository.base import Channel
from rrcli_daemons.loop import Wakeable
from rrcli_daemons.reconciler import Reconciler

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 2
"""Parts of a pass that are queued at the same time: while the servers write one, the other is computed."""

SCHEDULES_PER_PASS = 500 * SIDE_BY_SIDE
EVENTS_PER_PURGE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """At most so many `events` in each of the `parts` of a pass, then a `rest` of so many times its length.

    The shorter a pass, the less the other daemons notice it; the longer, the quicker the window is full.
    """

    events: int
    rest: float
    parts: int = SIDE_BY_SIDE


FILLING = Pace(events=EVENTS_PER_PASS, rest=1.0)
"""Of a window that is nearly full. The emptier it is, the shorter the rest; there is none up to its half."""

TOPPING_UP = Pace(events=EVENTS_PER_PASS // 32, rest=6.0, parts=1)
"""Of a window that was full, but for what the last two ticks have added.

The more that is, the longer the passes and the shorter the rests: so the pace settles where as much is queued
as comes into the window, spread evenly over the tick.
"""

ELSEWHERE_SECONDS = 5.0
"""After so long away from the earliest schedules one looks whether another still takes care of them."""

CHECK_INTERVAL = timedelta(seconds=2)
"""How often the queues are asked whether they are still the same ones."""


class Prequeuer:
    """One prequeuer; any number may run side by side."""

    name = "prequeuer"
    channel: Channel | None = None
    sources: Sequence[Wakeable] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tick = timedelta(seconds=context.settings.prequeuer.ticker_interval_seconds)
        self._next_tick: datetime | None = None
        self._rests_until = 0.0
        self._pace = FILLING
        self._is_full = self._was_full = False
        self._is_purged = False
        self._since: datetime | None = None
        self._elsewhere_until = 0.0
        self._schedules = SCHEDULES_PER_PASS
        self._reconciler = Reconciler(context)
        self._threads = ThreadPoolExecutor(max_workers=SIDE_BY_SIDE - 1, thread_name_prefix="rrcli-window")
        self.tally = Tally()
        self._counters = {"queued": 0.0, "skipped": 0.0, "ticks": 0.0}

    def counters(self) -> Mapping[str, float]:
        return self._counters | {"reconciled": float(self._reconciler.total)}

    def finish(self) -> datetime | None:
        self._threads.shutdown()
        return None

    def run_once(self, now: datetime, *, called: bool = True) -> datetime | None:
        """Reconcile when it is time, tick when it is time."""
        walk = self._reconciler.step(now)
        more = self._step(now)
        return more if walk is None else min(walk, more)

    def _step(self, now: datetime) -> datetime:
        """One pass, while the window is not full or the archive not purged; when the next one is."""
        is_tick = _is_due(self._next_tick, now, self._tick)
        if is_tick:
            self._is_full = self._is_purged = False
        elif self._is_full and self._is_purged:
            assert self._next_tick is not None
            return min(self._next_tick, now + CHECK_INTERVAL)
        began = self._context.clock.monotonic()
        if began < self._rests_until:
            return now + timedelta(seconds=self._rests_until - began)
        queued = 0
        if not self._is_full:
            queued = self._fill(now)
            self.tally.observe(TICK_SECONDS, [self._context.clock.monotonic() - began])
        if is_tick:
            self._complete(now)
            self._counters["ticks"] += 1
            self._next_tick = now + self._tick
        if not self._is_purged:
            self._is_purged = self._purge(now, queued)
        took = self._context.clock.monotonic() - began
        # A process that was stopped in a pass must not rest for a multiple of that.
        took += min(took * self._pace.rest, self._tick.total_seconds())
        self._rests_until = began + took
        return now + timedelta(seconds=took)

    def _fill(self, now: datetime) -> int:
        """Queue one batch of due schedules; how many events that were."""
        horizon = now + self._context.window
        if self._since and self._context.clock.monotonic() > self._elsewhere_until:
            self._since = None
        wanted, since = self._schedules, self._since
        due = self._context.repository.schedules.timetables(horizon, wanted, since=since)
        if since is None:
            self._pace = self._pace_at(due[0].next_run if due else None, now)
        readable = [schedule for schedule in due if self._is_readable(schedule)]
        filled = self._queue(readable, now)
        # Of dense schedules a pass reaches a few: then no more are read than it will reach.
        self._schedules = min(max(filled.schedules * 2, 1), SCHEDULES_PER_PASS)
        self._counters["queued"] += filled.queued
        self._counters["skipped"] += filled.skipped
        for reason, number in (("excluded", filled.excluded), ("misfire", filled.skipped - filled.excluded)):
            if number:
                self.tally.count(SKIPPED, number, reason)
        if filled.queued or filled.skipped:
            log.info(
                "Queued %d events of %d schedules, skipped %d late ones",
                filled.queued,
                len(readable),
                filled.skipped,
                extra={"action": "prequeued"},
            )
        if filled.overtaken:
            self._forget_orphans(readable)
        if len(due) < wanted and not filled.unfinished:
            self._since = None
            if since is None:
                self._is_full = self._was_full = True
                self._pace = TOPPING_UP
        elif filled.overtaken > filled.schedules / 2:
            self._since = _somewhere(readable[0].next_run or now, horizon)
            self._elsewhere_until = self._context.clock.monotonic() + ELSEWHERE_SECONDS
        return filled.queued

    def _pace_at(self, watermark: datetime | None, now: datetime) -> Pace:
        """By the earliest watermark there is."""
        window, two_ticks = self._context.window, 2 * self._tick
        behind = now + window - watermark if watermark else timedelta()
        if behind >= window / 2:
            self._was_full = False
        if not self._was_full or behind >= two_ticks:
            return replace(FILLING, rest=FILLING.rest * max(1 - behind / (window / 2), 0.0))
        ease = 1 - behind / two_ticks
        events = min(round(TOPPING_UP.events / ease), FILLING.events)
        return replace(TOPPING_UP, events=events, rest=TOPPING_UP.rest * ease)

    def _queue(self, due: Sequence[Timetable], now: datetime) -> Filled:
        """Queue occurrences of all; in two parts where that is quicker, each with its own order of writes."""
        number = self._pace.parts if self._context.repository.is_remote else 1
        parts = [part for part in (due[first::number] for first in range(number)) if part]

        def queued(part: Sequence[Timetable]) -> Filled:
            return queue_window(self._context, part, now, most_events=self._pace.events)

        if len(parts) <= 1:
            return together(map(queued, parts))
        others = [self._threads.submit(queued, part) for part in parts[1:]]
        try:
            first = queued(parts[0])
        finally:
            wait(others)
        return together([first, *(each.result() for each in others)])

    def _is_readable(self, schedule: Timetable) -> bool:
        """A rule that cannot be read pauses its schedule, and stops no other."""
        try:
            recurrence_of(schedule)
        except InvalidRule as error:
            reason = f"Its rule cannot be read: {error.message}"
            log.error("Paused: %s", reason, extra={"action": "unreadable", "schedule_id": schedule.id})
            self._pause(schedule, reason)
            return False
        return True

    def _pause(self, schedule: Timetable, reason: str) -> None:
        try:
            changes.pause(self._context, schedule.id, reason=reason)
        except (NotFound, Conflict):
            return  # deleted or changed meanwhile: the next tick sees it as it is then

    def _forget_orphans(self, filled: Sequence[Timetable]) -> None:
        """A schedule deleted while its window was being queued leaves nothing behind."""
        ids = {schedule.id for schedule in filled}
        for schedule_id in ids - self._context.repository.schedules.known(ids):
            schedules.forget(self._context, schedule_id)

    def _complete(self, now: datetime) -> None:
        """Schedules with no occurrence left are completed when their last event has ended."""
        repository = self._context.repository
        for schedule in repository.schedules.exhausted(SCHEDULES_PER_PASS):
            if repository.events.unfinished(schedule.id, limit=1):
                continue
            completed = replace(
                schedule, state=ScheduleState.COMPLETED, revision=schedule.revision + 1, updated_at=now
            )
            if repository.schedules.replace(completed, expected_revision=schedule.revision):
                log.info("Schedule completed", extra={"action": "completed", "schedule_id": schedule.id})

    def _purge(self, now: datetime, queued: int) -> bool:
        """Remove a batch of archived events past their time; whether it was the last.

        Twice as many as were queued meanwhile, if that is more: the archive is bounded at any rate.
        """
        days = self._context.settings.history.keep_days
        if not days:
            return True
        most = max(EVENTS_PER_PURGE, 2 * queued)
        return self._context.repository.events.purge(now - timedelta(days=days), most) < most


def _somewhere(earliest: datetime, end: datetime) -> datetime:
    """Where a prequeuer goes on that was not the first: several that begin anywhere share what there is.

    When it is through there, or after a while, it begins with the earliest again: the other may be gone.
    """
    return earliest + (end - earliest) * random()  # noqa: S311  # no secret


def _is_due(planned: datetime | None, now: datetime, interval: timedelta) -> bool:
    """Also when the clock was set back: then the plan lies further ahead than it can."""
    return planned is None or now >= planned or planned - now > interval
