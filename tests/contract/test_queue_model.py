"""Any order of queue operations gives what a dictionary would give."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from rrcli.repository.base import Depths, QueueEntry, Repository
from tests.contract.samples import LONG, NO_TIME, after
from tests.support.stores import QUEUE_STORES

pytestmark = pytest.mark.parametrize("store", QUEUE_STORES, indirect=True)

IDS = [f"{number:024x}" for number in range(8)]
WORKERS = ["w1", "w2"]

some_ids = st.lists(st.sampled_from(IDS), max_size=5, unique=True)
some_entries = st.lists(
    st.builds(
        QueueEntry, event_id=st.sampled_from(IDS), due=st.integers(min_value=0, max_value=20).map(after)
    ),
    max_size=5,
    unique_by=lambda entry: entry.event_id,
)
some_worker = st.sampled_from(WORKERS)
some_lease = st.sampled_from([LONG, NO_TIME])


class QueueMachine(RuleBasedStateMachine):
    """`places` maps an id to ready, worker or the name of the worker that holds it."""

    def __init__(self, repository: Repository) -> None:
        super().__init__()
        self.queues = repository.queues
        self.places: dict[str, str] = {}
        self.dues: dict[str, int] = {}
        self.leases: dict[str, timedelta] = {}
        for worker in WORKERS:
            self.queues.release(worker)
        self.queues.withdraw(IDS)

    def standing(self, place: str) -> list[str]:
        """Ids at one place, by due time and id."""
        found = [id for id, at in self.places.items() if at == place]
        return sorted(found, key=lambda id: (self.dues[id], id))

    def move(self, ids: list[str], place: str) -> None:
        self.places |= dict.fromkeys(ids, place)

    def put_ready(self, entry: QueueEntry) -> None:
        self.places[entry.event_id] = "ready"
        self.dues[entry.event_id] = round((entry.due - after(0)).total_seconds())

    @rule(entries=some_entries)
    def add(self, entries: list[QueueEntry]) -> None:
        new = {entry.event_id for entry in entries} - self.places.keys()
        assert self.queues.add(entries) == len(new)
        for entry in entries:
            if entry.event_id not in self.places:
                self.put_ready(entry)

    @rule(ids=some_ids)
    def promote(self, ids: list[str]) -> None:
        expected = [id for id in ids if self.places.get(id) == "ready"]
        assert self.queues.promote(ids) == len(expected)
        self.move(expected, "worker")

    # Fewer than partitions, or all there are: in between, each partition gives its part.
    @rule(worker=some_worker, limit=st.sampled_from([1, 2, 3, 9]), lease=some_lease)
    def claim(self, worker: str, limit: int, lease: timedelta) -> None:
        expected = self.standing("worker")[:limit]
        assert self.queues.claim(worker, limit, lease) == expected
        self.move(expected, worker)
        # Whether a claim that got nothing starts a lease is left open: nothing depends on it.
        if expected or worker in self.leases:
            self.leases[worker] = lease

    @rule(worker=some_worker, lease=some_lease)
    def extend(self, worker: str, lease: timedelta) -> None:
        if not self.standing(worker):
            return
        lasts = self.leases[worker] == LONG
        assert self.queues.extend(worker, lease) is lasts
        if lasts:
            self.leases[worker] = lease

    @rule(worker=some_worker, entries=some_entries, lease=some_lease)
    def retake(self, worker: str, entries: list[QueueEntry], lease: timedelta) -> None:
        if not entries:
            return
        ids = [entry.event_id for entry in entries]
        foreign = {id for id in ids if self.places.get(id) in {*WORKERS} - {worker}}
        assert self.queues.retake(worker, entries, lease) == foreign
        for entry in entries:
            if self.places.get(entry.event_id) != worker and entry.event_id not in foreign:
                self.put_ready(entry)
        self.move([id for id in ids if id not in foreign], worker)
        self.leases[worker] = lease

    @rule(worker=some_worker, ids=some_ids)
    def acknowledge(self, worker: str, ids: list[str]) -> None:
        self.queues.acknowledge(worker, ids)
        for id in ids:
            if self.places.get(id) == worker:
                del self.places[id]

    @rule(worker=some_worker, entries=some_entries)
    def retry(self, worker: str, entries: list[QueueEntry]) -> None:
        self.queues.retry(worker, entries)
        for entry in entries:
            if self.places.get(entry.event_id) == worker:
                self.put_ready(entry)

    @rule(worker=some_worker)
    def release(self, worker: str) -> None:
        held = self.standing(worker)
        assert self.queues.release(worker) == len(held)
        self.move(held, "worker")
        self.leases.pop(worker, None)

    @rule()
    def reap(self) -> None:
        lost = [worker for worker, lease in self.leases.items() if lease == NO_TIME]
        returned = [id for worker in lost for id in self.standing(worker)]
        assert self.queues.reap() == len(returned)
        self.move(returned, "worker")
        for worker in lost:
            del self.leases[worker]

    @rule(ids=some_ids)
    def withdraw(self, ids: list[str]) -> None:
        expected = {id for id in ids if self.places.get(id) in ("ready", "worker")}
        assert self.queues.withdraw(ids) == expected
        for id in expected:
            del self.places[id]

    @rule(now=st.integers(min_value=0, max_value=20), limit=st.integers(min_value=1, max_value=8))
    def due(self, now: int, limit: int) -> None:
        expected = [id for id in self.standing("ready") if self.dues[id] <= now]
        assert self.queues.due(after(now), limit) == expected[:limit]

    @invariant()
    def every_id_stands_where_the_model_says(self) -> None:
        ready, worker = self.standing("ready"), self.standing("worker")
        head = after(self.dues[ready[0]]) if ready else None
        in_flight = len(self.places) - len(ready) - len(worker)
        assert all(self.queues.held(worker) == set(self.standing(worker)) for worker in WORKERS)
        assert self.queues.missing(IDS) == set(IDS) - set(self.places)
        assert self.queues.head() == head
        assert self.queues.depths() == Depths(
            ready=len(ready), worker=len(worker), in_flight=in_flight, oldest_due=head
        )


def test_queues_behave_like_the_model(repository: Repository) -> None:
    class Machine(QueueMachine):
        def __init__(self) -> None:
            super().__init__(repository)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
