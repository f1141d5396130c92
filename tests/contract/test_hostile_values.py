"""What people and programs may type: nothing fits, or one clear error; never a driver's own exception."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from rrcli.errors import MalformedRequest
from rrcli.repository.base import QueueEntry, Repository
from tests.contract.samples import NOON, event, schedule

SURROGATE = "a\ud800"
LOOKS: dict[str, Callable[[Repository, str], object]] = {
    "schedules.get": lambda store, text: store.schedules.get([text]),
    "schedules.resolve": lambda store, text: store.schedules.resolve(text),
    "schedules.find name": lambda store, text: store.schedules.find(name=text, limit=3).items,
    "schedules.find tag": lambda store, text: store.schedules.find(tag=text, limit=3).items,
    "schedules.remove": lambda store, text: store.schedules.remove(text),
    "events.get": lambda store, text: store.events.get([text]),
    "events.find": lambda store, text: store.events.find(text),
    "events.resolve": lambda store, text: store.events.resolve(text),
    "events.pending": lambda store, text: store.events.pending(text, limit=3).items,
    "events.history": lambda store, text: store.events.history(text, limit=3).items,
    "api_keys.get": lambda store, text: store.api_keys.get(text),
}
PAGES: dict[str, Callable[[Repository, int], object]] = {
    "schedules.find": lambda store, offset: store.schedules.find(limit=3, offset=offset),
    "events.pending": lambda store, offset: store.events.pending(None, limit=3, offset=offset),
    "events.history": lambda store, offset: store.events.history(None, limit=3, offset=offset),
}


@pytest.fixture
def filled(repository: Repository) -> Repository:
    repository.schedules.add([schedule(1)])
    repository.events.add([event(1)])
    repository.queues.add([QueueEntry(event_id=event(1).id, due=NOON)])
    return repository


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize(
    "text", ["x" * 100_000, "\0", "a\0b", "\U0010ffff", "'; --", "$where", "%", "[", "é" * 12, "-1"]
)
def test_text_that_fits_nothing_finds_nothing(
    filled: Repository, look: Callable[[Repository, str], object], text: str
) -> None:
    assert not look(filled, text)


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_half_a_surrogate_pair_finds_nothing_or_is_refused(
    filled: Repository, look: Callable[[Repository, str], object]
) -> None:
    found: object = None
    with suppress(MalformedRequest):
        found = look(filled, SURROGATE)
    assert not found


def test_an_empty_reference_means_nothing(filled: Repository) -> None:
    assert filled.schedules.resolve("") == []
    assert filled.events.resolve("") == []


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("offset", [2**31, 2**62])
def test_a_page_beyond_the_end_is_empty(
    filled: Repository, page: Callable[[Repository, int], object], offset: int
) -> None:
    assert page(filled, offset).items == ()  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("offset", [2**64, 10**30])
def test_an_offset_beyond_all_numbers_is_refused(
    filled: Repository, page: Callable[[Repository, int], object], offset: int
) -> None:
    with pytest.raises(MalformedRequest, match="so large a number"):
        page(filled, offset)


def test_a_record_that_cannot_be_stored_is_refused_and_changes_nothing(filled: Repository) -> None:
    bad = replace(schedule(1), name=SURROGATE, revision=2)
    with pytest.raises(MalformedRequest):
        filled.schedules.replace(bad, expected_revision=1)
    assert filled.schedules.get([bad.id]) == {bad.id: schedule(1)}
