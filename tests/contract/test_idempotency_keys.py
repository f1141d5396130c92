"""What was made under which idempotency key (base.IdempotencyKeys)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from rrcli.core.idempotency import HOLD, KEEP, Answer, KeyUse, first_use
from rrcli.repository.base import Repository
from tests.contract.samples import NOON, after

ANSWER = Answer(status=201, headers={"Location": "/x", "ETag": '"1"'}, body='{"id":"ünï\\u0000"}')


def use(key: str = "a", fingerprint: str = "f", seconds: float = 0.0, owner: str = "") -> KeyUse:
    return first_use(owner, key, fingerprint, after(seconds))


def test_a_new_key_is_the_callers_and_its_answer_is_found_again(
    repository: Repository, open_again: Callable[[], Repository]
) -> None:
    keys = repository.idempotency_keys
    assert keys.begin(use(), NOON) == (use(), True)
    keys.finish(use(), ANSWER, after(1))

    stored = replace(use(), answer=ANSWER)
    assert open_again().idempotency_keys.begin(use(seconds=5), after(5)) == (stored, False)


def test_keys_of_two_owners_and_two_keys_of_one_do_not_meet(repository: Repository) -> None:
    keys = repository.idempotency_keys
    for each in (use(), use(owner="x"), use("b"), use("b", owner="x")):
        assert keys.begin(each, NOON) == (each, True)


def test_a_use_under_way_keeps_others_out_until_its_hold_has_run_out(repository: Repository) -> None:
    keys = repository.idempotency_keys
    keys.begin(use(), NOON)
    assert keys.begin(use(seconds=1), after(1)) == (use(), False)

    late = NOON + HOLD
    taken_over = replace(use(), attempt=2, held_until=late + HOLD)
    assert keys.begin(use(seconds=99), late) == (taken_over, True)
    assert taken_over.seed == use().seed


def test_only_the_newest_attempt_may_write_its_answer(repository: Repository) -> None:
    keys = repository.idempotency_keys
    keys.begin(use(), NOON)
    second, _ = keys.begin(use(), NOON + HOLD)
    for outdated in (lambda: keys.finish(use(), ANSWER, NOON), lambda: keys.forget(use())):
        outdated()
        assert keys.begin(use(), NOON + HOLD) == (second, False)
    keys.release(use())
    assert keys.begin(use(), NOON + HOLD) == (second, False)
    keys.finish(second, ANSWER, NOON)
    assert keys.begin(use(), NOON + HOLD) == (replace(second, answer=ANSWER), False)


def test_another_request_never_takes_a_key_over(repository: Repository) -> None:
    keys = repository.idempotency_keys
    keys.begin(use(), NOON)
    assert keys.begin(use(fingerprint="g"), NOON + 2 * HOLD) == (use(), False)


def test_a_released_use_is_taken_over_at_once_and_a_forgotten_one_is_new(repository: Repository) -> None:
    keys = repository.idempotency_keys
    keys.begin(use(), NOON)
    keys.release(use())
    second, is_ours = keys.begin(use(seconds=1), after(1))
    assert (second.attempt, second.seed, is_ours) == (2, use().seed, True)
    keys.forget(second)
    assert keys.begin(use(seconds=2), after(2)) == (use(seconds=2), True)


def test_what_has_an_answer_is_neither_released_nor_forgotten(repository: Repository) -> None:
    keys = repository.idempotency_keys
    keys.begin(use(), NOON)
    keys.finish(use(), ANSWER, NOON)
    keys.release(use())
    keys.forget(use())
    assert keys.begin(use(), after(1)) == (replace(use(), answer=ANSWER), False)


def test_a_key_expires(repository: Repository) -> None:
    keys = repository.idempotency_keys
    keys.begin(use(), NOON)
    keys.finish(use(), ANSWER, NOON)
    almost = NOON + KEEP - timedelta(milliseconds=1)
    assert keys.begin(use(), almost) == (replace(use(), answer=ANSWER), False)
    anew = first_use("", "a", "g", NOON + KEEP)
    assert keys.begin(anew, NOON + KEEP) == (anew, True)


def test_a_clock_set_back_does_not_hold_a_key_for_ever(repository: Repository) -> None:
    keys = repository.idempotency_keys
    keys.begin(use(seconds=86_400 * 30), after(86_400 * 30))
    assert keys.begin(use(), NOON)[1]


def test_of_many_at_once_one_is_told_to_go(
    repository: Repository, open_again: Callable[[], Repository]
) -> None:
    stores = [open_again() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for key in "abcdefgh":
            told = list(
                pool.map(lambda each, key=key: each.idempotency_keys.begin(use(key), NOON)[1], stores)
            )
            assert sorted(told) == [False, False, False, True]
