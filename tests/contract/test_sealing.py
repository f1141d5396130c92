"""Encryption at rest, on both stores: nothing in clear where the store keeps it, and keys that change."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bson import decode_all, encode
from pymongo import MongoClient

from rrcli.core.inputs import MASK
from rrcli.core.sealed import PREFIX, sealed_fields
from rrcli.errors import StoreCorrupt
from rrcli.operations import changes
from rrcli.operations.context import Context
from rrcli.operations.rekey import NoKey, rekey
from rrcli.operations.views import schedule_view
from rrcli.repository.base import Repository
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.contract.samples import schedule, schedule_id
from tests.support.clock import FakeClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD = "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZCE="
NEW = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE="
CANARY = "c4n4ry"
Opener = Callable[..., Repository]


@pytest.fixture
def opened(store: Settings, request: pytest.FixtureRequest) -> Opener:
    """Opens the store with these keys, the newest first."""

    def open_with(*keys: str) -> Repository:
        security = replace(store.security, encryption_key=keys)
        repository = open_repository(replace(store, security=security))
        request.addfinalizer(repository.close)
        repository.init()
        return repository

    return open_with


def context_of(repository: Repository) -> Context:
    return Context(repository=repository, clock=FakeClock(NOON), settings=Settings())


def secretive(number: int = 1, **changes: object) -> object:
    fields = {
        "callback_url": f"https://u:{CANARY}@a.example/?token={CANARY}",
        "headers": {"Authorization": f"Bearer {CANARY}", "X-Empty": ""},
        "body": f"{CANARY} é \n",
        "secrets": (f"whsec_{CANARY}",),
    }
    return schedule(number, **(fields | changes))


def raw(store: Settings) -> bytes:
    """Every byte that the store keeps: SQLite's files, or all documents as MongoDB has them."""
    if store.mongo.uri is None:
        assert store.embedded.data_dir
        return b"".join(file.read_bytes() for file in Path(store.embedded.data_dir).iterdir())
    client: MongoClient[dict[str, object]]
    with MongoClient(store.mongo.uri) as client:
        database = client[store.mongo.database]
        found = [each for name in database.list_collection_names() for each in database[name].find()]
    return b"".join(encode(each) for each in found)


def test_the_store_has_nothing_in_clear_and_gives_everything_back(store: Settings, opened: Opener) -> None:
    repository = opened(NEW)
    first = secretive(1)
    repository.schedules.add([first])
    changed = replace(first, body=f"other {CANARY}", revision=2)
    assert repository.schedules.replace(changed, expected_revision=1)

    assert CANARY.encode() not in raw(store)
    assert b"a.example" not in raw(store)
    again = opened(NEW).schedules
    assert again.get([first.id]) == {first.id: changed}
    assert again.resolve(first.name) == again.due(datetime(2027, 1, 1, tzinfo=UTC), 5) == [changed]
    assert list(again.find(limit=5).items) == [changed]


def test_a_url_without_credentials_stays_readable(store: Settings, opened: Opener) -> None:
    opened(NEW).schedules.add([secretive(callback_url="https://a.example/x")])
    assert b"https://a.example/x" in raw(store)


def test_the_raw_look_would_find_what_is_not_encrypted(store: Settings, opened: Opener) -> None:
    opened().schedules.add([secretive()])
    assert CANARY.encode() in raw(store)


def test_what_was_stored_before_there_was_a_key_is_read_on_and_encrypted_by_rekey(
    store: Settings, opened: Opener
) -> None:
    plain = [secretive(number) for number in range(1, 4)]
    opened().schedules.add(plain)
    repository = opened(NEW)
    assert repository.schedules.get([plain[0].id]) == {plain[0].id: plain[0]}

    assert rekey(context_of(repository)).changed == 3
    if store.mongo.uri:  # SQLite keeps old pages in its log until they are written over
        assert CANARY.encode() not in raw(store)
    assert rekey(context_of(repository)).changed == 0
    assert list(reversed(repository.schedules.find(limit=9).items)) == plain


def test_a_new_key_takes_over_and_the_old_one_can_go(opened: Opener) -> None:
    stored = secretive()
    opened(OLD).schedules.add([stored])
    both = opened(NEW, OLD)
    assert both.schedules.get([stored.id]) == {stored.id: stored}
    done = rekey(context_of(both))
    assert (done.changed, done.unreadable) == (1, ())
    assert opened(NEW).schedules.get([stored.id]) == {stored.id: stored}


@pytest.mark.parametrize("keys", [(), (NEW,)])
def test_a_schedule_that_no_key_opens_hinders_no_other(opened: Opener, keys: tuple[str, ...]) -> None:
    lost, fine = secretive(1), secretive(2)
    opened(OLD).schedules.add([lost])
    repository = opened(*keys)
    repository.schedules.add([fine])
    found = repository.schedules.get([lost.id, fine.id])
    assert found[fine.id] == fine
    expected = ["headers.Authorization", "headers.X-Empty", "secrets[0]", "body", "callback_url"]
    assert sealed_fields(found[lost.id]) == expected

    view = schedule_view(found[lost.id], NOON)
    assert (view["callback_url"], view["body"], view["secrets"]) == (MASK, MASK, [MASK])
    with pytest.raises(StoreCorrupt, match=rf"{lost.id} \(schedule 1\).*security\.encryption_key"):
        schedule_view(found[lost.id], NOON, reveal=True)


@pytest.mark.parametrize("keys", [(), (NEW,)])
def test_a_change_leaves_what_no_key_opens_as_it_is(opened: Opener, keys: tuple[str, ...]) -> None:
    stored = secretive()
    opened(OLD).schedules.add([stored])
    context = context_of(opened(*keys))
    changes.update(context, stored.id, {"name": "renamed", "headers": {"Authorization": MASK}})
    again = opened(OLD).schedules.get([stored.id])[stored.id]
    assert (again.name, again.body) == ("renamed", stored.body)
    assert again.headers == {"Authorization": f"Bearer {CANARY}"}


def test_rekey_names_what_no_key_opens_and_does_the_rest(opened: Opener) -> None:
    opened(OLD).schedules.add([secretive(1)])
    opened().schedules.add([secretive(2)])
    done = rekey(context_of(opened(NEW)))
    assert (done.changed, done.unreadable) == (1, (schedule_id(1),))


def test_rekey_without_a_key_says_how_to_make_one(opened: Opener) -> None:
    with pytest.raises(NoKey) as caught:
        rekey(context_of(opened()))
    assert "openssl rand -base64 32" in str(caught.value.hint)


def test_no_input_can_be_taken_for_an_encrypted_value() -> None:
    assert PREFIX.startswith("\0")
    assert decode_all(encode({"a": PREFIX}))[0]["a"] == PREFIX
