"""The original's six examples: what they send, and what they print."""

from typing import Any

import pytest
from falcon.testing import Result, TestClient

from rrcli.core.models import Event, EventState, Status
from rrcli.operations.context import Context
from tests.api.conftest import NOW

DAILY_BACKUP = {
    "name": "Daily Backup",
    "rrule": "FREQ=DAILY;INTERVAL=1",
    "callback_url": "https://example.com/backup",
    "method": "POST",
    "headers": {"Authorization": "Bearer abc123", "Content-Type": "application/json"},
    "body": '{"task":"backup"}',
}
UPDATED_BACKUP = {
    "name": "Updated Daily Backup",
    "rrule": "FREQ=DAILY;INTERVAL=2",
    "callback_url": "https://example.com/new-backup",
    "method": "PUT",
    "headers": {"Authorization": "Bearer updated_token", "Content-Type": "application/json"},
    "body": '{"task":"updated-backup"}',
}
SCHEDULE = "64b76c5986b6c9f24f1c0952"


@pytest.fixture
def daily(client: TestClient) -> str:
    return str(client.simulate_post("/api/schedules", json=DAILY_BACKUP).json["id"])


def keep(context: Context, schedule_id: str, event: dict[str, Any]) -> None:
    """Put an event of the examples into the ledger, archived when it has ended."""
    status = tuple(
        Status(time=at(each["time"]), status=EventState(each["status"]), message=each["message"])
        for each in event["status"]
    )
    stored = Event(
        id=event["_id"],
        schedule_id=schedule_id,
        run_time=at(event["run_time"]),
        due=at(event["run_time"]),
        revision=1,
        status=status,
        created_at=at(event["created_at"]),
    )
    context.repository.events.add([stored])
    if stored.state.final:
        context.repository.events.archive([stored], NOW)


def at(text: str) -> Any:
    from rrcli.core.timefmt import parse_instant

    return parse_instant(text, field="time")


def test_1_create_a_schedule(client: TestClient) -> None:
    answer = client.simulate_post("/api/schedules", json=DAILY_BACKUP)
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    identifier = answer.json["id"]
    assert answer.text == f'{{"id":"{identifier}"}}'
    assert answer.headers["Location"] == f"/api/schedules/{identifier}"
    assert len(identifier) == 24


def test_2_update_it(client: TestClient, daily: str) -> None:
    answer = client.simulate_put(f"/api/schedules/{daily}", json=UPDATED_BACKUP)
    assert answer.status_code == 200
    assert answer.text == '{"message":"Schedule updated successfully."}'
    stored = client.simulate_get(f"/api/schedules/{daily}").json
    assert {name: stored[name] for name in ("name", "callback_url", "method", "body")} == {
        name: UPDATED_BACKUP[name] for name in ("name", "callback_url", "method", "body")
    }
    assert stored["rrule"] == "DTSTART:20250104T120000Z\nRRULE:FREQ=DAILY;INTERVAL=2"


def test_3_delete_it(client: TestClient, daily: str) -> None:
    answer = client.simulate_delete(f"/api/schedules/{daily}")
    assert answer.status_code == 200
    assert answer.text == '{"message":"Schedule and associated events deleted."}'
    assert client.simulate_get(f"/api/schedules/{daily}").status_code == 404


def test_4_list_pending_events(client: TestClient, context: Context, daily: str) -> None:
    event = {
        "_id": "64c10d4286b6c9f24f1c0952",
        "schedule_id": daily,
        "run_time": "2025-01-05T12:00:00Z",
        "status": [
            {
                "time": "2025-01-04T12:00:00Z",
                "status": "ready_queue",
                "message": "Event pre-queued for ready queue",
            }
        ],
        "created_at": "2025-01-04T11:00:00Z",
    }
    context.repository.events.forget(daily)
    keep(context, daily, event)
    expect_page(client.simulate_get(f"/api/schedules/{daily}/events/pending?limit=5&page=1"), event)


def test_5_list_archived_events(client: TestClient, context: Context, daily: str) -> None:
    event = {
        "_id": "64c10d4286b6c9f24f1c0953",
        "schedule_id": daily,
        "run_time": "2025-01-03T12:00:00Z",
        "status": [
            {"time": "2025-01-03T12:00:00Z", "status": "completed", "message": "Event successfully processed"}
        ],
        "created_at": "2025-01-03T11:00:00Z",
    }
    keep(context, daily, event)
    expect_page(client.simulate_get(f"/api/schedules/{daily}/events/history?limit=5&page=1"), event)


def expect_page(answer: Result, event: dict[str, Any]) -> None:
    """The example's keys and values, in its order, before what this product adds to an event."""
    assert answer.status_code == 200
    assert list(answer.json) == ["events", "page", "limit"]
    assert (answer.json["page"], answer.json["limit"]) == (1, 5)
    (shown,) = answer.json["events"]
    assert list(shown)[: len(event)] == list(event)
    assert {name: shown[name] for name in event} == event


def test_6_the_window_is_queued_at_once_with_the_original_words(client: TestClient) -> None:
    minutely = DAILY_BACKUP | {"rrule": "FREQ=MINUTELY"}
    identifier = client.simulate_post("/api/schedules", json=minutely).json["id"]
    events = client.simulate_get(f"/api/schedules/{identifier}/events/pending").json["events"]
    assert [event["run_time"] for event in events[:2]] == ["2025-01-04T12:00:00Z", "2025-01-04T12:01:00Z"]
    assert events[0]["status"] == [
        {
            "time": "2025-01-04T12:00:00Z",
            "status": "ready_queue",
            "message": "Event pre-queued for ready queue",
        }
    ]
