"""Replay, audit and why over the network."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from falcon.testing import TestClient

from rrcli.core.models import EventState
from rrcli.operations.context import Context
from tests.support.clock import FakeClock

Create = Callable[..., str]
PAST = "DTSTART:20250104T110000Z\nRRULE:FREQ=MINUTELY"
HOUR = {"from": "2025-01-04T11:00:00Z", "to": "2025-01-04T12:00:00Z"}


@pytest.fixture
def failed(client: TestClient, create: Create, context: Context) -> str:
    """The id of an event that has failed."""
    schedule = create()
    (first,) = context.repository.events.pending(schedule, limit=1).items
    now = context.now()
    context.repository.events.archive([first.moved(EventState.ERROR, now, "HTTP 500: gave up")], now)
    context.repository.queues.withdraw([first.id])
    return first.id


def test_an_event_is_replayed_once_unless_forced(client: TestClient, failed: str) -> None:
    path = f"/api/events/{failed}/replay"
    first = client.simulate_post(path)
    assert (first.status_code, first.json["kind"], first.json["replay_of"]) == (201, "replay", failed)
    assert first.json["webhook_id"] == failed
    again = client.simulate_post(path, json={})
    assert (again.status_code, again.json) == (200, first.json)
    assert again.headers["Location"] == f"/api/events/{first.json['_id']}"
    forced = client.simulate_post(path, json={"force": True, "new_id": True})
    assert (forced.status_code, forced.json["webhook_id"]) == (201, forced.json["_id"])


def test_an_event_that_waits_is_a_conflict(client: TestClient, create: Create) -> None:
    event = client.simulate_get(f"/api/schedules/{create()}/events/pending").json["events"][0]["_id"]
    assert client.simulate_post(f"/api/events/{event}/replay").status_code == 409
    assert client.simulate_post(f"/api/events/{'0' * 24}/replay").status_code == 404
    assert client.simulate_post(f"/api/events/{event}/replay", json={"force": 1}).status_code == 422


def test_a_range_is_replayed_in_bounded_parts(client: TestClient, create: Create) -> None:
    path = f"/api/schedules/{create(rrule=PAST)}/replay"
    dry = client.simulate_post(path, json=HOUR | {"dry_run": True}).json
    assert (dry["dry_run"], dry["planned"], len(dry["events"]), dry["next_from"]) == (True, 60, 60, None)
    first = client.simulate_post(path, json=HOUR | {"limit": 40, "rate": 10}).json
    assert (first["planned"], first["next_from"]) == (40, "2025-01-04T11:40:00Z")
    rest = client.simulate_post(path, json=HOUR | {"from": first["next_from"]}).json
    assert (rest["planned"], rest["next_from"]) == (20, None)
    assert first["events"] + rest["events"] == dry["events"]
    again = client.simulate_post(path, json=HOUR).json
    assert (again["planned"], again["under_way"]) == (0, 60)


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "yesterday"},
        {"from": "2025-01-04T12:00:00Z"},
        {"only": "some"},
        {"rate": 0},
        {"limit": 0},
        {"x": 1},
    ],
)
def test_a_wrong_field_is_refused(client: TestClient, create: Create, wrong: dict[str, object]) -> None:
    answer = client.simulate_post(f"/api/schedules/{create()}/replay", json=HOUR | wrong)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["error"]["details"]] == list(wrong)


def test_the_audit_goes_on_where_a_part_ended(client: TestClient, create: Create, clock: FakeClock) -> None:
    schedule = create()
    clock.advance(timedelta(minutes=5))
    path = f"/api/schedules/{schedule}/audit"
    whole = client.simulate_get(path).json
    assert (whole["instants"], whole["missing"], whole["next_from"]) == (5, 0, None)
    assert (whole["outcomes"], whole["extra"]) == ({"ready_queue": 5}, {})
    part = client.simulate_get(path, params={"limit": 2}).json
    assert (part["instants"], part["next_from"], part["to"]) == (2, *["2025-01-04T12:02:00Z"] * 2)
    rest = client.simulate_get(path, params={"from": part["next_from"]}).json
    assert part["rows"] + rest["rows"] == whole["rows"]


def test_a_missing_instant_is_told(
    client: TestClient, create: Create, context: Context, clock: FakeClock
) -> None:
    schedule = create()
    (first,) = context.repository.events.pending(schedule, limit=1).items
    context.repository.events.discard([first.id])
    clock.advance(timedelta(minutes=1))
    answer = client.simulate_get(f"/api/schedules/{schedule}/audit").json
    assert (answer["missing"], answer["rows"][0]["reason"]) == (1, "The ledger has no entry")


def test_an_audit_of_an_empty_range_is_refused(client: TestClient, create: Create) -> None:
    answer = client.simulate_get(f"/api/schedules/{create()}/audit", params={"from": "2030-01-01T00:00:00Z"})
    assert answer.status_code == 422
    assert client.simulate_get(f"/api/schedules/{'0' * 24}/audit").status_code == 404


def test_the_story_of_an_event(client: TestClient, failed: str) -> None:
    answer = client.simulate_get(f"/api/events/{failed}/why").json
    assert (answer["event_id"], answer["state"]) == (failed, "error")
    assert any("gave up" in step["sentence"] for step in answer["story"])


def test_the_story_of_an_instant_without_an_event(client: TestClient, create: Create) -> None:
    path = f"/api/schedules/{create(rrule='FREQ=HOURLY')}/why"
    answer = client.simulate_get(path, params={"at": "2025-01-04T13:30:00Z"}).json
    assert answer["event_id"] is None
    assert answer["story"][-1]["sentence"] == "The one after is 2025-01-04T14:00:00Z."
    assert client.simulate_get(path).status_code == 400
