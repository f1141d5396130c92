"""What every backend keeps about the queues and the claims on them (base.Queues)."""

from collections.abc import Callable

import pytest

from rrcli.repository.base import Depths, Repository
from tests.contract.samples import LONG, NO_TIME, NOON, after, entry
from tests.support.stores import QUEUE_STORES

pytestmark = pytest.mark.parametrize("store", QUEUE_STORES, indirect=True)

A, B, C, D = (f"{number:024x}" for number in range(0xA, 0xE))


def depths(repository: Repository) -> tuple[int, int, int]:
    counted = repository.queues.depths()
    return counted.ready, counted.worker, counted.in_flight


def claimed(repository: Repository, *ids: str, worker: str = "w1") -> None:
    """Bring ids in flight under a long lease."""
    repository.queues.add([entry(id) for id in ids])
    repository.queues.promote(ids)
    assert repository.queues.claim(worker, len(ids), LONG) == sorted(ids)


def test_a_new_store_has_empty_queues(repository: Repository) -> None:
    assert repository.queues.depths() == Depths(ready=0, worker=0, in_flight=0, oldest_due=None)
    assert repository.queues.head() is None
    assert repository.queues.due(NOON, 9) == []
    assert repository.queues.claim("w1", 9, LONG) == []


def test_nothing_can_be_given_to_every_batch(repository: Repository) -> None:
    claimed(repository, A)

    repository.queues.add([])
    repository.queues.acknowledge("w1", [])
    repository.queues.retry("w1", [])
    assert repository.queues.promote([]) == 0
    assert repository.queues.withdraw([]) == set()
    assert repository.queues.missing([]) == set()
    assert depths(repository) == (0, 0, 1)


def test_head_and_oldest_due_are_of_the_first_ready_entry(repository: Repository) -> None:
    repository.queues.add([entry(A, 5), entry(B, 2.125)])
    repository.queues.add([entry(C, 3)])

    assert repository.queues.head() == after(2.125)
    assert repository.queues.depths() == Depths(ready=3, worker=0, in_flight=0, oldest_due=after(2.125))


def test_due_lists_the_earliest_first_and_leaves_them(repository: Repository) -> None:
    repository.queues.add([entry(A, 3), entry(B, 1), entry(C, 2), entry(D, 4)])

    assert repository.queues.due(after(3), 9) == [B, C, A]
    assert repository.queues.due(after(3), 2) == [B, C]
    assert repository.queues.due(after(0.999), 9) == []
    assert depths(repository) == (4, 0, 0)


def test_what_was_promoted_or_claimed_is_not_due_any_more(repository: Repository) -> None:
    claimed(repository, A)
    repository.queues.add([entry(B), entry(C)])
    repository.queues.promote([B])

    assert repository.queues.due(NOON, 9) == [C]


def test_adding_again_leaves_an_id_where_it_stands(repository: Repository) -> None:
    claimed(repository, A)
    repository.queues.add([entry(B), entry(C, 5)])
    repository.queues.promote([B])

    repository.queues.add([entry(A, 1), entry(B, 1), entry(C, 1)])

    assert depths(repository) == (1, 1, 1)
    assert repository.queues.head() == after(5)
    assert repository.queues.claim("w2", 9, LONG) == [B]


def test_promote_moves_only_what_is_ready(repository: Repository) -> None:
    claimed(repository, A)
    repository.queues.add([entry(B), entry(C)])

    assert repository.queues.promote([A, B, D]) == 1
    assert repository.queues.promote([A, B, D]) == 0
    assert depths(repository) == (1, 1, 1)


def test_claims_come_earliest_due_first(repository: Repository) -> None:
    repository.queues.add([entry(A, 3), entry(B, 1), entry(C, 2)])
    repository.queues.promote([A])
    repository.queues.promote([B, C])

    assert repository.queues.claim("w1", 2, LONG) == [B, C]
    assert repository.queues.claim("w1", 2, LONG) == [A]
    assert repository.queues.claim("w1", 2, LONG) == []
    assert depths(repository) == (0, 0, 3)


def test_what_one_worker_claimed_another_does_not_get(repository: Repository) -> None:
    claimed(repository, A, B)

    assert repository.queues.claim("w2", 9, LONG) == []


def test_a_lease_is_extended_while_it_lasts(repository: Repository) -> None:
    claimed(repository, A)

    assert repository.queues.extend("w1", LONG) is True
    assert repository.queues.reap() == 0


def test_a_lease_that_has_run_out_is_not_extended(repository: Repository) -> None:
    claimed(repository, A)

    assert repository.queues.extend("w1", NO_TIME) is True
    assert repository.queues.extend("w1", LONG) is False


def test_an_unknown_lease_is_not_extended(repository: Repository) -> None:
    assert repository.queues.extend("w1", LONG) is False
    assert repository.queues.reap() == 0


def test_a_worker_that_holds_claims_gets_no_others_once_its_lease_has_ended(repository: Repository) -> None:
    """Nor a new lease, which would hide that its claims may be elsewhere."""
    claimed(repository, A)
    repository.queues.add([entry(B)])
    repository.queues.promote([B])
    repository.queues.extend("w1", NO_TIME)

    assert repository.queues.claim("w1", 9, LONG, holding=True) == []
    assert repository.queues.extend("w1", LONG) is False
    assert repository.queues.reap() == 1
    assert repository.queues.claim("w1", 9, LONG, holding=True) == []
    assert repository.queues.extend("w1", LONG) is False

    assert repository.queues.retake("w1", [entry(A)], LONG) == set()
    assert repository.queues.claim("w1", 9, LONG, holding=True) == [B]


def test_a_claim_renews_the_lease_of_all_claims_of_the_worker(repository: Repository) -> None:
    repository.queues.add([entry(A), entry(B, 1)])
    repository.queues.promote([A, B])
    repository.queues.claim("w1", 1, NO_TIME)

    assert repository.queues.claim("w1", 1, LONG) == [B]
    assert repository.queues.reap() == 0
    assert depths(repository) == (0, 0, 2)


def test_reap_returns_the_claims_of_lost_workers_and_no_others(repository: Repository) -> None:
    claimed(repository, A, B, worker="lost")
    claimed(repository, C, worker="alive")
    repository.queues.extend("lost", NO_TIME)

    assert repository.queues.reap() == 2
    assert repository.queues.reap() == 0
    assert depths(repository) == (0, 2, 1)
    assert repository.queues.claim("alive", 9, LONG) == [A, B]


def test_what_was_reaped_keeps_its_place_by_due_time(repository: Repository) -> None:
    repository.queues.add([entry(A, 1)])
    repository.queues.promote([A])
    repository.queues.claim("lost", 1, NO_TIME)
    repository.queues.add([entry(B, 2)])
    repository.queues.promote([B])
    repository.queues.reap()

    assert repository.queues.claim("w2", 1, LONG) == [A]


def test_a_reaped_worker_knows_by_its_lease(repository: Repository) -> None:
    claimed(repository, A)
    repository.queues.extend("w1", NO_TIME)
    repository.queues.reap()

    assert repository.queues.extend("w1", LONG) is False


def test_a_worker_takes_back_what_it_is_calling(repository: Repository) -> None:
    claimed(repository, A, B, C, D)
    repository.queues.extend("w1", NO_TIME)
    repository.queues.reap()
    assert repository.queues.claim("w2", 1, LONG) == [A]
    repository.queues.withdraw([B])

    assert repository.queues.retake("w1", [entry(A), entry(B), entry(C)], LONG) == {A}
    assert repository.queues.held("w1") == {B, C}
    assert repository.queues.held("w2") == {A}
    assert repository.queues.extend("w1", LONG) is True
    assert repository.queues.claim("w2", 9, LONG) == [D]
    assert depths(repository) == (0, 0, 4)


def test_held_are_the_claims_of_one_worker(repository: Repository) -> None:
    claimed(repository, A, B)
    claimed(repository, C, worker="w2")
    repository.queues.acknowledge("w1", [A])

    assert repository.queues.held("w1") == {B}
    assert repository.queues.held("w2") == {C}
    assert repository.queues.held("unknown") == set()


def test_what_was_reaped_is_not_held_any_more(repository: Repository) -> None:
    claimed(repository, A)
    repository.queues.extend("w1", NO_TIME)
    repository.queues.reap()

    assert repository.queues.held("w1") == set()


def test_acknowledged_claims_are_gone(repository: Repository) -> None:
    claimed(repository, A, B)

    repository.queues.acknowledge("w1", [A])

    assert depths(repository) == (0, 0, 1)
    assert repository.queues.missing([A, B]) == {A}
    assert repository.queues.release("w1") == 1


def test_acknowledge_leaves_claims_of_another(repository: Repository) -> None:
    claimed(repository, A, worker="slow")
    repository.queues.extend("slow", NO_TIME)
    repository.queues.reap()
    repository.queues.claim("fast", 1, LONG)

    repository.queues.acknowledge("slow", [A])

    assert depths(repository) == (0, 0, 1)
    assert repository.queues.release("fast") == 1


def test_acknowledge_leaves_what_is_not_claimed(repository: Repository) -> None:
    repository.queues.add([entry(A), entry(B)])
    repository.queues.promote([B])

    repository.queues.acknowledge("w1", [A, B])

    assert depths(repository) == (1, 1, 0)


def test_retry_moves_own_claims_to_ready_at_the_new_time(repository: Repository) -> None:
    claimed(repository, A, B)

    repository.queues.retry("w1", [entry(A, 60)])

    assert depths(repository) == (1, 0, 1)
    assert repository.queues.head() == after(60)
    assert repository.queues.promote([A]) == 1
    assert repository.queues.claim("w2", 9, LONG) == [A]


def test_retry_leaves_claims_of_another_and_what_is_not_claimed(repository: Repository) -> None:
    claimed(repository, A, worker="other")
    repository.queues.add([entry(B)])
    repository.queues.promote([B])
    repository.queues.add([entry(C, 5)])

    repository.queues.retry("w1", [entry(A, 1), entry(B, 1), entry(C, 1), entry(D, 1)])

    assert depths(repository) == (1, 1, 1)
    assert repository.queues.head() == after(5)
    assert repository.queues.missing([D]) == {D}


def test_release_returns_all_claims_and_ends_the_lease(repository: Repository) -> None:
    claimed(repository, A, B)
    claimed(repository, C, worker="w2")

    assert repository.queues.release("w1") == 2

    assert depths(repository) == (0, 2, 1)
    assert repository.queues.extend("w1", LONG) is False
    assert repository.queues.extend("w2", LONG) is True
    assert repository.queues.claim("w3", 9, LONG) == [A, B]


def test_release_of_nothing_is_nothing(repository: Repository) -> None:
    assert repository.queues.release("w1") == 0


def test_withdraw_takes_out_what_is_not_in_flight(repository: Repository) -> None:
    claimed(repository, A)
    repository.queues.add([entry(B), entry(C)])
    repository.queues.promote([B])

    assert repository.queues.withdraw([A, B, C, D]) == {B, C}
    assert depths(repository) == (0, 0, 1)
    assert repository.queues.missing([A, B, C]) == {B, C}


def test_missing_are_the_ids_in_no_queue(repository: Repository) -> None:
    claimed(repository, A)
    repository.queues.add([entry(B), entry(C)])
    repository.queues.promote([B])

    assert repository.queues.missing([A, B, C, D]) == {D}


def test_the_incarnation_stays_the_same_for_everybody(
    repository: Repository, open_again: Callable[[], Repository]
) -> None:
    token = repository.queues.incarnation()

    assert token
    assert open_again().queues.incarnation() == token
    repository.init()
    assert repository.queues.incarnation() == token


def test_everything_is_seen_by_another_process(
    repository: Repository, open_again: Callable[[], Repository]
) -> None:
    claimed(repository, A, worker="here")
    repository.queues.add([entry(B, 7)])
    there = open_again()

    assert depths(there) == (1, 0, 1)
    assert there.queues.head() == after(7)
    assert there.queues.extend("here", LONG) is True


@pytest.mark.parametrize("count", [1, 2_500])
def test_batches_may_be_large(repository: Repository, count: int) -> None:
    ids = [f"{number:024x}" for number in range(count)]

    repository.queues.add([entry(id) for id in ids])
    assert repository.queues.due(NOON, count) == ids
    assert repository.queues.promote(ids) == count
    assert repository.queues.claim("w1", count, LONG) == ids
    repository.queues.acknowledge("w1", ids)

    assert repository.queues.missing(ids) == set(ids)


def test_queues_that_answer_over_the_same_connections_say_so(repository: Repository) -> None:
    queues = repository.queues
    assert queues.claim("w", 1, LONG) == []
    before = queues.connections()
    assert queues.claim("w", 1, LONG) == []
    assert queues.connections() == before
