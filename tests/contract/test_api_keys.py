"""Keys of the REST service (base.ApiKeys)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from rrcli.core.api_keys import ApiKey, Scope, issue
from rrcli.errors import Conflict
from rrcli.repository.base import Repository
from tests.contract.samples import NOON, after


def key(number: int = 1, seconds: float = 0, scope: Scope = Scope.WRITE) -> ApiKey:
    made, _ = issue(f"kéy {number}", scope, bytes([number]) * 38, after(seconds))
    return made


def test_a_key_comes_back_as_it_was_stored(
    repository: Repository, open_again: Callable[[], Repository]
) -> None:
    stored = replace(key(), last_used_at=after(1.001), revoked_at=after(2))
    repository.api_keys.add(stored)
    repository.api_keys.add(key(2))

    again = open_again().api_keys
    assert again.get(stored.id) == stored
    assert again.get(key(2).id) == key(2)
    assert again.get("0" * 12) is None


def test_an_id_that_exists_is_not_overwritten(repository: Repository) -> None:
    repository.api_keys.add(key())
    with pytest.raises(Conflict):
        repository.api_keys.add(replace(key(), scope=Scope.ADMIN))
    assert repository.api_keys.get(key().id) == key()


def test_the_list_has_all_oldest_first(repository: Repository) -> None:
    keys = [key(3, 0), key(1, 1), key(2, 1)]
    for each in reversed(keys):
        repository.api_keys.add(each)
    assert repository.api_keys.list() == keys


def test_revoked_keys_exist_too(repository: Repository) -> None:
    assert not repository.api_keys.exist()
    repository.api_keys.add(key())
    repository.api_keys.revoke(key().id, NOON)
    assert repository.api_keys.exist()


def test_the_last_use_never_goes_back(repository: Repository) -> None:
    repository.api_keys.add(key())
    repository.api_keys.used(key().id, after(60))
    repository.api_keys.used(key().id, after(30))
    repository.api_keys.used("0" * 12, after(90))
    assert repository.api_keys.list() == [replace(key(), last_used_at=after(60))]


def test_a_key_is_revoked_once(repository: Repository) -> None:
    repository.api_keys.add(key())
    assert repository.api_keys.revoke(key().id, after(5))
    assert not repository.api_keys.revoke(key().id, after(6))
    assert not repository.api_keys.revoke("0" * 12, after(6))
    assert repository.api_keys.get(key().id) == replace(key(), revoked_at=after(5))
