"""What the other processes of the race tests run; at the top of a module, so that they can import it."""

from collections.abc import Sequence

from rrcli.repository.base import QueueEntry, Repository
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.contract.samples import LONG, event


def claim_all(store: Settings, worker: str, batch: int) -> list[str]:
    """Claim and acknowledge until nothing is left; the ids this process got."""
    got: list[str] = []
    with open_repository(store) as repository:
        while ids := repository.queues.claim(worker, batch, LONG):
            repository.queues.acknowledge(worker, ids)
            got += ids
    return got


def add_all(store: Settings, count: int, batch: int) -> int:
    """Enter and queue events 0 … count-1, as a prequeuer does; how many it was told to queue."""
    with open_repository(store) as repository:
        return sum(
            _add(repository, range(start, min(start + batch, count))) for start in range(0, count, batch)
        )


def _add(repository: Repository, numbers: Sequence[int]) -> int:
    entered = repository.events.add([event(number) for number in numbers])
    repository.queues.add([QueueEntry(event_id=each.id, due=each.due) for each in entered])
    return len(entered)


def incarnation(store: Settings) -> str:
    """What this process finds or makes."""
    with open_repository(store) as repository:
        repository.init()
        return repository.queues.incarnation()
