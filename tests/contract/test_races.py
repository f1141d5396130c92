"""Several processes on one store: nothing is lost and nothing comes twice."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from rrcli.core.models import EventState
from rrcli.repository.base import Repository
from rrcli.settings import Settings
from tests.contract import racing
from tests.contract.samples import LONG, entry
from tests.support.stores import QUEUE_STORES

pytestmark = pytest.mark.parametrize("store", QUEUE_STORES, indirect=True)

IDS = [f"{number:024x}" for number in range(10_000)]


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Three fresh processes; they start before the first race begins."""
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        yield pool


def results(futures: list[Future[list[str]]]) -> list[list[str]]:
    return [future.result(timeout=60) for future in futures]


def test_each_of_10_000_ids_is_claimed_exactly_once(
    repository: Repository, store: Settings, processes: ProcessPoolExecutor
) -> None:
    repository.queues.add([entry(id) for id in IDS])
    assert repository.queues.promote(IDS) == len(IDS)

    got = results([processes.submit(racing.claim_all, store, f"w{n}", 50) for n in range(3)])

    assert sorted(id for ids in got for id in ids) == IDS
    depths = repository.queues.depths()
    assert (depths.ready, depths.worker, depths.in_flight) == (0, 0, 0)


def test_two_prequeuers_enter_each_event_once(
    repository: Repository, store: Settings, processes: ProcessPoolExecutor
) -> None:
    count = 2_000
    futures = [processes.submit(racing.add_all, store, count, 50) for _ in range(2)]
    told = [future.result(timeout=60) for future in futures]

    assert sum(told) >= count
    assert repository.events.counts() == {EventState.READY: count}
    assert repository.queues.depths().ready == count


def test_all_processes_agree_on_the_incarnation(store: Settings, processes: ProcessPoolExecutor) -> None:
    futures = [processes.submit(racing.incarnation, store) for _ in range(3)]

    assert len({future.result(timeout=60) for future in futures}) == 1


def test_one_repository_serves_many_threads(repository: Repository) -> None:
    ids = IDS[:1_000]
    repository.queues.add([entry(id) for id in ids])
    repository.queues.promote(ids)

    def claim(worker: str) -> list[str]:
        got: list[str] = []
        while some := repository.queues.claim(worker, 20, LONG):
            repository.queues.acknowledge(worker, some)
            got += some
        return got

    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(claim, ["w1", "w2", "w3", "w4"]))

    assert sorted(id for some in got for id in some) == ids


def test_a_promoter_and_a_withdrawer_never_leave_an_id_behind(
    repository: Repository, open_again: Callable[[], Repository]
) -> None:
    ids = IDS[:500]
    repository.queues.add([entry(id) for id in ids])
    other = open_again()

    with ThreadPoolExecutor(2) as pool:
        promoted = pool.submit(lambda: sum(repository.queues.promote([id]) for id in ids))
        withdrawn = pool.submit(lambda: set().union(*(other.queues.withdraw([id]) for id in reversed(ids))))
        moved, taken = promoted.result(timeout=60), withdrawn.result(timeout=60)

    assert taken == set(ids)
    assert 0 <= moved <= len(ids)
    assert repository.queues.missing(ids) == set(ids)
