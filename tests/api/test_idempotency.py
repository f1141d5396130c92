"""Idempotency-Key: a POST that comes twice is made once, whatever broke in between."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from falcon.testing import Result, TestClient

from rrcli.core.models import EventState
from rrcli.operations import api_keys
from rrcli.operations.context import Context
from rrcli.repository.base import Repository
from rrcli_api.app import create_app
from tests.api.conftest import LOCAL
from tests.operations.breaking import BreakingRepository
from tests.support.clock import FakeClock

Create = Callable[..., str]
GOOD = {"name": "Backup", "rrule": "FREQ=MINUTELY", "callback_url": "https://example.com/b"}
KEY = {"Idempotency-Key": "4c1b0c1e-7f"}


def post(client: TestClient, path: str = "/api/schedules", **more: Any) -> Result:
    return client.simulate_post(path, **({"json": GOOD, "headers": KEY} | more))


def count(context: Context) -> int:
    return context.repository.schedules.find(limit=1).total


def test_the_same_request_gets_the_same_answer(
    client: TestClient, context: Context, clock: FakeClock
) -> None:
    first = post(client)
    clock.advance(timedelta(minutes=5))
    again = post(client)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert [first.headers[name] for name in ("ETag", "Location", "Content-Type")] == [
        again.headers[name] for name in ("ETag", "Location", "Content-Type")
    ]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert count(context) == 1


def test_another_request_under_the_key_is_refused(
    client: TestClient, context: Context, create: Create
) -> None:
    schedule_id = create()
    post(client)
    for answer in (
        post(client, json=GOOD | {"name": "Other"}),
        post(client, f"/api/schedules/{schedule_id}/trigger", json={}),
    ):
        assert (answer.status_code, answer.json["error"]["code"]) == (422, "validation_failed")
        assert answer.json["error"]["details"][0]["field"] == "Idempotency-Key"
    assert count(context) == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_a_key_of_another_form_is_refused(client: TestClient, context: Context, key: str) -> None:
    assert post(client, headers={"Idempotency-Key": key}).status_code == 400
    assert count(context) == 0


def test_a_key_is_forgotten_after_a_day(client: TestClient, context: Context, clock: FakeClock) -> None:
    post(client)
    clock.advance(timedelta(hours=24))
    assert "Idempotent-Replayed" not in post(client).headers
    assert count(context) == 2


def test_what_was_refused_may_be_mended_under_the_same_key(client: TestClient) -> None:
    assert post(client, json=GOOD | {"rrule": "x"}).status_code == 422
    assert post(client).status_code == 201


def test_each_api_key_has_idempotency_keys_of_its_own(client: TestClient, context: Context) -> None:
    for name in ("a", "b"):
        _, text = api_keys.create(context, name=name, scope="write")
        answer = post(client, headers=KEY | {"Authorization": f"Bearer {text}"})
        assert "Idempotent-Replayed" not in answer.headers
    assert count(context) == 2


def test_two_at_the_same_time_are_one_and_a_conflict(
    client: TestClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, may_go_on = threading.Event(), threading.Event()
    add = context.repository.schedules.add

    def slow(schedules: Any) -> None:
        inside.set()
        assert may_go_on.wait(10)
        add(schedules)

    monkeypatch.setattr(context.repository.schedules, "add", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, client)
        assert inside.wait(10)
        second = post(client)
        may_go_on.set()
        assert first.result().status_code == 201
    assert (second.status_code, second.json["error"]["code"]) == (409, "conflict")
    assert int(second.headers["Retry-After"]) >= 1
    assert post(client).headers["Idempotent-Replayed"] == "true"
    assert count(context) == 1


def test_a_trigger_is_made_once(client: TestClient, create: Create) -> None:
    path = f"/api/schedules/{create()}/trigger"
    answers = [post(client, path, json={}) for _ in range(2)]
    assert answers[0].json["_id"] == answers[1].json["_id"]


def test_a_skip_is_made_once(client: TestClient, create: Create) -> None:
    path = f"/api/schedules/{create()}/skip"
    for _ in range(2):
        assert len(post(client, path, json={}).json["skips"]) == 1


def test_a_preview_needs_no_memory(client: TestClient) -> None:
    for _ in range(2):
        answer = post(client, "/api/preview", json={"rrule": "FREQ=DAILY"})
        assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (200, None)


class Breaking(BreakingRepository):
    """One that breaks in every part, the keys included."""

    @property
    def idempotency_keys(self) -> Any:
        return self._part("idempotency_keys")

    @property
    def api_keys(self) -> Any:
        return self._target.api_keys

    @property
    def calendars(self) -> Any:
        return self._target.calendars

    def _part(self, name: str) -> Any:
        from tests.operations.breaking import _Part

        return _Part(getattr(self._target, name), self._call)


def broken_at_each_step(context: Context, path: str, body: Any) -> Iterator[tuple[TestClient, int]]:
    """A request whose n-th call of the store fails, before or after its effect, for each n there is."""
    for has_effect in (False, True):
        for at in range(30):
            key = {"Idempotency-Key": f"{path}-{has_effect}-{at}", **LOCAL}
            store = Breaking(context.repository, at=at, has_effect=has_effect)
            app = create_app(replace(context, repository=cast(Repository, store)))
            TestClient(app).simulate_post(path, json=body, headers=key)
            yield TestClient(create_app(context), headers=key), at
            if not store.broke:
                break
        else:
            pytest.fail("it never came to an end")


@pytest.mark.parametrize("batch", [False, True])
def test_a_create_that_broke_off_anywhere_is_made_once(
    context: Context, clock: FakeClock, batch: bool
) -> None:
    path = "/api/schedules:batch" if batch else "/api/schedules"
    body = {"schedules": [GOOD, GOOD | {"name": "Other"}]} if batch else GOOD
    steps = 0
    for client, _ in broken_at_each_step(context, path, body):
        before = {each.id for each in context.repository.schedules.find(limit=1000).items}
        clock.advance(timedelta(seconds=30))  # whatever was held is free again
        answer = client.simulate_post(path, json=body)
        assert answer.status_code == 201, answer.text
        made = [each["id"] for each in answer.json["schedules"]] if batch else [answer.json["id"]]
        after = {each.id for each in context.repository.schedules.find(limit=1000).items}
        assert after - before <= set(made)
        assert set(made) <= after
        assert client.simulate_post(path, json=body).headers["Idempotent-Replayed"] == "true"
        for each in made:
            assert context.repository.events.pending(each, limit=1).total > 0
        steps += 1
        others = len(body["schedules"]) if batch else 1
        assert count(context) == steps * others
        live = [each.id for each in context.repository.events.live(after_id="", limit=10_000)]
        assert context.repository.queues.missing(live) == set()
    assert steps >= 8


def test_a_trigger_that_broke_off_anywhere_is_made_once(
    context: Context, clock: FakeClock, create: Create
) -> None:
    schedule_id = create(rrule="FREQ=YEARLY;BYMONTH=6")
    steps = 0
    for client, _ in broken_at_each_step(context, f"/api/schedules/{schedule_id}/trigger", {}):
        clock.advance(timedelta(seconds=30))
        answer = client.simulate_post(f"/api/schedules/{schedule_id}/trigger", json={})
        assert answer.status_code == 201, answer.text
        steps += 1
        pending = context.repository.events.pending(schedule_id, limit=100)
        assert pending.total == steps
        assert context.repository.queues.missing([each.id for each in pending.items]) == set()
    assert steps >= 6


def test_a_forced_replay_that_broke_off_anywhere_is_made_once(
    context: Context, clock: FakeClock, create: Create
) -> None:
    schedule_id = create()
    (source,) = context.repository.events.pending(schedule_id, limit=1).items
    context.repository.events.archive([source.moved(EventState.ERROR, clock.now(), "x")], clock.now())
    known = context.repository.events.pending(schedule_id, limit=1000).total
    steps = 0
    for client, _ in broken_at_each_step(context, f"/api/events/{source.id}/replay", {"force": True}):
        clock.advance(timedelta(seconds=30))
        answer = client.simulate_post(f"/api/events/{source.id}/replay", json={"force": True})
        assert answer.status_code in (200, 201), answer.text
        steps += 1
        assert context.repository.events.pending(schedule_id, limit=1000).total == known + steps
    assert steps >= 6


def test_a_skip_that_broke_off_is_not_made_again(context: Context, clock: FakeClock, create: Create) -> None:
    path = f"/api/schedules/{create()}/skip"
    statuses = set()
    for client, _ in broken_at_each_step(context, path, {}):
        clock.advance(timedelta(seconds=30))
        statuses.add(client.simulate_post(path, json={}).status_code)
    assert statuses == {200, 409}
