"""The store as a whole (base.Repository)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from rrcli.core.models import ScheduleState
from rrcli.repository.base import Repository
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.contract.samples import schedule


def test_init_may_be_repeated_and_keeps_everything(repository: Repository) -> None:
    repository.schedules.add([schedule(1)])

    repository.init()
    repository.init()

    assert repository.schedules.counts() == {ScheduleState.ACTIVE: 1}


def test_init_may_run_in_several_places_at_once(store: Settings) -> None:
    def start(number: int) -> None:
        with open_repository(store) as repository:
            repository.init()
            repository.schedules.add([schedule(number)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))

    with open_repository(store) as repository:
        assert repository.schedules.counts() == {ScheduleState.ACTIVE: 4}


def test_a_store_that_is_there_answers_a_ping(repository: Repository) -> None:
    repository.ping()


def test_the_description_says_what_it_is_without_credentials(repository: Repository, store: Settings) -> None:
    assert repository.description.startswith("mongo " if store.mongo.uri else "embedded ")
    assert "@" not in repository.description


def test_close_may_be_repeated(open_again: Callable[[], Repository]) -> None:
    repository = open_again()

    repository.close()
    repository.close()


def test_a_store_is_closed_by_its_with_block(store: Settings) -> None:
    with open_repository(store) as repository:
        repository.init()
        assert repository.schedules.counts() == {}


def test_another_process_sees_what_was_written(
    repository: Repository, open_again: Callable[[], Repository]
) -> None:
    repository.schedules.add([schedule(1)])

    assert open_again().schedules.find(limit=9).items == (schedule(1),)
