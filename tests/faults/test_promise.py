"""Any order of changes, crashes, restarts and passing time keeps the promise, as a plain model states it.

The model: while a schedule is active, each instant of its rule is called once and ends in one entry. A
change ends what came before it; nothing of an older rule or of a paused or deleted schedule is called. A call
comes twice only when its worker died before it had written the result down.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from rrcli.core.models import EventState
from rrcli.core.request import Request
from rrcli.core.retry import Outcome
from rrcli.errors import StoreUnavailable
from rrcli.operations import changes, schedules
from rrcli.operations.context import Context
from rrcli_daemons.dispatcher import Dispatcher
from rrcli_daemons.prequeuer import Prequeuer
from rrcli_daemons.sender import Sender
from rrcli_daemons.worker import Worker
from tests.faults.record import LONG
from tests.operations.breaking import breaking, breaking_in_parts
from tests.support.clock import FakeClock

EXAMPLES = 100 if LONG else 25
PASSES = 40
HALF_A_SECOND = timedelta(milliseconds=500)
"""Changes never fall on an instant of a rule, so that before and after are plain."""

some_interval = st.integers(min_value=1, max_value=4)
some_break = st.tuples(st.integers(min_value=0, max_value=12), st.booleans())
maybe_break = st.none() | some_break
some_step = st.integers(min_value=0, max_value=4)


@dataclass
class Modelled:
    """One schedule of the model, active since `since` with a rule of every so many minutes."""

    anchor: datetime
    minutes: int
    since: datetime
    active: bool = True

    def instants(self, until: datetime) -> list[datetime]:
        """What is to be completed: the rule's instants from the last change on."""
        if not self.active:
            return []
        step = timedelta(minutes=self.minutes)
        first = self.anchor + max(0, -((self.anchor - self.since) // step)) * step
        number = max(0, (until - first) // step + 1)
        return [first + index * step for index in range(number) if first + index * step >= self.since]


@dataclass
class InstantSender:
    """Answers every call with 200 as soon as it is made, and notes when it was made."""

    clock: FakeClock
    made: list[tuple[str, datetime]] = field(default_factory=list)
    done: list[tuple[str, Outcome]] = field(default_factory=list)

    def submit(self, calls: Sequence[tuple[str, Request]]) -> None:
        now = self.clock.now()
        for key, _request in calls:
            self.made.append((key, now))
            self.done.append((key, Outcome(status_code=200, started=now, duration_ms=1.0)))

    def collect(self) -> list[tuple[str, Outcome]]:
        done, self.done = self.done, []
        return done

    def withdraw(self, _waiting_seconds: float | None) -> list[str]:
        return []

    def abort(self) -> None:
        self.done = []

    def close(self) -> None:
        return None


class PromiseMachine(RuleBasedStateMachine):
    """Operations and daemons on a store that may break at any call."""

    known = Bundle("known")

    def __init__(self, context: Context, clock: FakeClock) -> None:
        super().__init__()
        self.context, self.clock = context, clock
        self.clock.advance(timedelta(minutes=1))
        self.clock.jump(clock.now().replace(microsecond=0) + HALF_A_SECOND - clock.now())
        self.model: dict[str, Modelled] = {}
        self.calls: list[tuple[str, datetime]] = []
        self.may_repeat: Counter[str] = Counter()
        self.deleted: dict[str, datetime] = {}
        self.workers = 0
        self.prequeuer = Prequeuer(context)

    @initialize(target=known, minutes=st.lists(some_interval, min_size=2, max_size=4))
    def begin(self, minutes: list[int]) -> MultipleResults[str]:
        """With enough schedules for a pass to have two parts."""
        return multiple(*(self.create(each, None) for each in minutes))

    @rule(target=known, minutes=some_interval, broken=maybe_break)
    def create(self, minutes: int, broken: tuple[int, bool] | None) -> str:
        name = f"s{len(self.model) + len(self.deleted)}-{self.clock.now():%H%M%S}"
        fields = {"name": name, "rrule": f"FREQ=MINUTELY;INTERVAL={minutes}", "misfire": {"policy": "all"}}
        fields["callback_url"] = "http://127.0.0.1:9/"
        now = self.clock.now()
        self._until_done(lambda context: schedules.create(context, fields), broken)
        stored = list(self.context.repository.schedules.find(name=name, limit=9).items)
        for one in stored:  # twice when the reply of the first was lost
            self.model[one.id] = Modelled(anchor=now + HALF_A_SECOND, minutes=minutes, since=now)
        return stored[-1].id

    @rule(id=known, broken=maybe_break)
    def pause(self, id: str, broken: tuple[int, bool] | None) -> None:
        if id in self.model:
            self._until_done(lambda context: changes.pause(context, id), broken)
            self.model[id].active = False

    @rule(id=known, broken=maybe_break)
    def resume(self, id: str, broken: tuple[int, bool] | None) -> None:
        if id in self.model and not self.model[id].active:
            self._until_done(lambda context: changes.resume(context, id), broken)
            self.model[id].active, self.model[id].since = True, self.clock.now()

    @rule(id=known, minutes=some_interval, broken=maybe_break)
    def edit(self, id: str, minutes: int, broken: tuple[int, bool] | None) -> None:
        if id in self.model and minutes != self.model[id].minutes:
            change = {"rrule": f"FREQ=MINUTELY;INTERVAL={minutes}"}
            self._until_done(lambda context: changes.update(context, id, change), broken)
            self.model[id].minutes, self.model[id].since = minutes, self.clock.now()

    @rule(id=consumes(known), broken=maybe_break)
    def delete(self, id: str, broken: tuple[int, bool] | None) -> None:
        if id in self.model:
            self._until_done(lambda context: schedules.delete(context, id), broken, again=False)
            del self.model[id]
            self.deleted[id] = self.clock.now()

    @rule(seconds=st.integers(min_value=1, max_value=1500))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def prequeuer_restarts(self) -> None:
        self.prequeuer = Prequeuer(self.context)

    @rule(broken=some_break)
    def prequeuer_crashes(self, broken: tuple[int, bool]) -> None:
        context, _ = breaking(self.context, at=broken[0], has_effect=broken[1])
        self._run(Prequeuer(context))
        self.prequeuer = Prequeuer(self.context)

    @rule(broken=some_break, others_at=some_step, seconds=st.integers(min_value=60, max_value=600))
    def prequeuer_crashes_in_two_parts(self, broken: tuple[int, bool], others_at: int, seconds: int) -> None:
        """As on a remote store: each part of a pass comes as far as it comes."""
        at, has_effect = broken
        self.time_passes(seconds)
        context, _ = breaking_in_parts(self.context, at=at, others_at=others_at, has_effect=has_effect)
        crashing = Prequeuer(context)
        self._run(crashing)
        crashing.finish()
        self.prequeuer = Prequeuer(self.context)

    @rule(broken=some_break)
    def dispatcher_crashes(self, broken: tuple[int, bool]) -> None:
        context, _ = breaking(self.context, at=broken[0], has_effect=broken[1])
        self._run(Dispatcher(context))

    @rule(broken=some_break)
    def worker_crashes(self, broken: tuple[int, bool]) -> None:
        context, _ = breaking(self.context, at=broken[0], has_effect=broken[1])
        self._work(context)

    @rule()
    def everything_runs(self) -> None:
        """Daemons without a fault, until nothing is due: then the promise holds.

        What had been handed to a worker, and stands in no queue when a prequeuer starts, has to settle first.
        """
        self._run_all()
        if self._some_are_handed_over():
            self.clock.advance(timedelta(seconds=61))
            self._run_all()
        self._check()

    def _some_are_handed_over(self) -> bool:
        events = self.context.repository.events
        return any(one.state is EventState.WORKER for id in self.model for one in events.unfinished(id))

    def _run_all(self) -> None:
        for _ in range(PASSES):
            self._run(self.prequeuer)
            self._run(Dispatcher(self.context))
            if not self._work(self.context):
                break

    def teardown(self) -> None:
        # What a crash left without a queue entry is looked for every minute.
        self.clock.advance(timedelta(seconds=61))
        self.everything_runs()
        for id in [*self.model]:
            schedules.delete(self.context, id)

    def _until_done(self, operation: Any, broken: tuple[int, bool] | None, *, again: bool = True) -> None:
        """Once on a store that breaks, then as a person does who saw the error: once more."""
        if broken is not None:
            context, _ = breaking(self.context, at=broken[0], has_effect=broken[1])
            try:
                operation(context)
            except StoreUnavailable:
                if not again:
                    self._ignore_gone(operation)
                    return
            else:
                return
        operation(self.context)

    def _ignore_gone(self, operation: Any) -> None:
        from rrcli.errors import NotFound

        try:
            operation(self.context)
        except NotFound:
            return

    def _run(self, daemon: Any) -> None:
        """Until it has nothing to do now, or crashes."""
        try:
            for _ in range(PASSES):
                more = daemon.run_once(self.context.now())
                if more is None or more > self.context.now():
                    return
        except StoreUnavailable:
            return

    def _work(self, context: Context) -> int:
        """A worker's life: until nothing is left, or it crashes and its lease runs out; calls it made."""
        self.workers += 1
        instance, sender = f"worker-{self.workers}", InstantSender(self.clock)
        worker = Worker(context, cast(Sender, sender), instance=instance, rng=lambda: 0.5)
        queues = self.context.repository.queues
        try:
            for _ in range(PASSES):
                before = len(sender.made)
                worker.run_once(self.context.now())
                depths = queues.depths()
                if len(sender.made) == before and depths.worker + depths.in_flight == 0:
                    break
            crashed = False
        except StoreUnavailable:
            crashed = True
        worker._results.close()  # its thread writes no more, as at the end of a process
        if crashed:
            called = {key for key, _ in sender.made}
            self.may_repeat.update(queues.held(instance) & called)
        queues.release(instance)
        self.calls += sender.made
        return len(sender.made)

    def _check(self) -> None:
        now = self.clock.now()
        for id, made in Counter(key for key, _ in self.calls).items():
            assert made <= 1 + self.may_repeat[id]
        for id, modelled in self.model.items():
            self._check_schedule(id, modelled, now)
        for id in self.deleted:
            assert not self.context.repository.events.unfinished(id)

    def _check_schedule(self, id: str, modelled: Modelled, now: datetime) -> None:
        events = self.context.repository.events
        ended = {one.run_time: one for one in events.history(id, limit=10_000).items}
        live = [one for one in events.unfinished(id) if one.due <= now]
        assert live == []
        for instant in modelled.instants(now):
            assert instant in ended, f"{instant} has no entry"
            assert ended[instant].state is EventState.COMPLETED
        called = Counter(key for key, _ in self.calls)
        for one in ended.values():
            assert one.state is not EventState.COMPLETED or called[one.id]
            # Nothing is called that the rule does not have; superseded entries were never called.
            assert one.state is not EventState.SUPERSEDED or called[one.id] <= self.may_repeat[one.id]


def test_a_handed_over_event_whose_pause_crashed_ends_once_it_has_settled(
    context: Context, clock: FakeClock
) -> None:
    """Found by the machine: the dispatcher dies between its steps, and so does the pause."""
    machine = PromiseMachine(context, clock)
    _, paused = machine.begin(minutes=[1, 1]).values
    machine.prequeuer_crashes_in_two_parts(broken=(0, False), others_at=0, seconds=60)
    machine.dispatcher_crashes(broken=(2, False))
    machine.pause(paused, broken=(3, True))
    machine.everything_runs()


def test_the_promise_holds_in_any_order_of_events(context: Context, clock: FakeClock) -> None:
    class Machine(PromiseMachine):
        def __init__(self) -> None:
            super().__init__(context, clock)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
