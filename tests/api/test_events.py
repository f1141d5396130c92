"""Events of one schedule and of all; one event; cancelling."""

from collections.abc import Callable
from datetime import timedelta

from falcon.testing import TestClient

from rrcli.operations.context import Context

Create = Callable[..., str]


def test_pages_of_pending_events_follow_each_other(client: TestClient, create: Create) -> None:
    path = f"/api/schedules/{create()}/events/pending"
    whole = client.simulate_get(path).json
    pages = [client.simulate_get(f"{path}?limit=4&page={page}").json for page in (1, 2, 3, 4)]
    assert list(whole) == ["events", "page", "limit"]
    assert len(whole["events"]) == 10
    assert [len(page["events"]) for page in pages] == [4, 4, 2, 0]
    assert [event for page in pages for event in page["events"]] == whole["events"]


def test_events_of_all_schedules_are_listed_with_their_number(client: TestClient, create: Create) -> None:
    schedules = {create(), create()}
    answer = client.simulate_get("/api/events?limit=1000").json
    assert list(answer) == ["events", "page", "limit", "total", "total_exact"]
    assert {event["schedule_id"] for event in answer["events"]} == schedules
    assert answer["total"] == len(answer["events"]) == 20
    assert client.simulate_get("/api/events?state=pending&limit=1000").json == answer
    assert client.simulate_get("/api/events?state=history").json["total"] == 0


def test_a_cancelled_event_moves_to_the_history(client: TestClient, create: Create) -> None:
    schedule = create()
    event = client.simulate_get(f"/api/schedules/{schedule}/events/pending").json["events"][0]["_id"]
    answer = client.simulate_post(f"/api/events/{event}/cancel")
    assert answer.status_code == 200
    assert [step["status"] for step in answer.json["status"]] == ["ready_queue", "cancelled"]
    history = client.simulate_get(f"/api/schedules/{schedule}/events/history").json["events"]
    assert [each["_id"] for each in history] == [event]
    assert client.simulate_get(f"/api/events/{event}").json["state"] == "cancelled"
    again = client.simulate_post(f"/api/events/{event}/cancel")
    assert (again.status_code, again.json["error"]["code"]) == (409, "conflict")


def test_an_event_that_is_being_called_cannot_be_cancelled(
    client: TestClient, context: Context, create: Create
) -> None:
    event = client.simulate_post(f"/api/schedules/{create(rrule='FREQ=YEARLY')}/trigger").json["_id"]
    queues = context.repository.queues
    queues.promote([event])
    assert event in queues.claim("worker", 10, timedelta(seconds=30))
    answer = client.simulate_post(f"/api/events/{event}/cancel")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "conflict")
