"""The original's six examples and eight rules over REST, on a running stack, with real callbacks."""

from datetime import timedelta

import httpx
import pytest

from rrcli.clock import SystemClock
from rrcli.repository.base import Repository
from tests.e2e.rules import RULES
from tests.support.leftovers import leftovers
from tests.support.receiver import Answer, Receiver
from tests.support.stack import Stack, client, wait_until


@pytest.fixture
def api(stack: Stack):
    with client(stack) as http:
        yield http


def history(api: httpx.Client, schedule_id: str) -> list[dict]:
    return api.get(f"/api/schedules/{schedule_id}/events/history").json()["events"]


def pending_times(api: httpx.Client, schedule_id: str) -> list[str]:
    events = api.get(f"/api/schedules/{schedule_id}/events/pending?limit=100").json()["events"]
    return [event["run_time"] for event in events]


def test_the_six_examples_from_create_to_delete(
    api: httpx.Client, target: Receiver, repository: Repository
) -> None:
    created = api.post(
        "/api/schedules",
        json={
            "name": "Daily Backup",
            "rrule": "FREQ=DAILY;INTERVAL=1",
            "callback_url": target.url("/backup"),
            "method": "POST",
            "headers": {"Authorization": "Bearer abc123", "Content-Type": "application/json"},
            "body": '{"task":"backup"}',
        },
    )
    assert created.status_code == 201
    schedule_id = created.json()["id"]
    assert created.json() == {"id": schedule_id}

    call = target.wait_for(1)[0]
    assert (call.method, call.path, call.body) == ("POST", "/backup", b'{"task":"backup"}')
    sent = {name.lower(): value for name, value in call.headers.items()}
    assert (sent["authorization"], sent["content-type"]) == ("Bearer abc123", "application/json")
    wait_until(lambda: len(history(api, schedule_id)) == 1)
    (event,) = history(api, schedule_id)
    assert event["status"][-1]["status"] == "completed"
    assert {"_id", "schedule_id", "run_time", "status", "created_at"} <= event.keys()
    assert api.post(f"/api/schedules/{schedule_id}/trigger").status_code == 201
    assert len(target.wait_for(2)) == 2
    # A call that has come is still among the pending ones until its result is written.
    wait_until(lambda: len(history(api, schedule_id)) == 2)

    updated = api.put(
        f"/api/schedules/{schedule_id}",
        json={
            "name": "Updated Daily Backup",
            "rrule": "FREQ=MINUTELY;INTERVAL=2",
            "callback_url": target.url("/new-backup"),
            "method": "PUT",
            "headers": {"Authorization": "Bearer updated_token", "Content-Type": "application/json"},
            "body": '{"task":"updated-backup"}',
        },
    )
    assert (updated.status_code, updated.json()) == (200, {"message": "Schedule updated successfully."})
    every_two = pending_times(api, schedule_id)
    assert len(every_two) in (4, 5)
    api.put(f"/api/schedules/{schedule_id}", json={"rrule": "FREQ=MINUTELY;INTERVAL=5"})
    every_five = pending_times(api, schedule_id)
    assert len(every_five) in (1, 2)
    assert set(every_five) != set(every_two)

    page = api.get(f"/api/schedules/{schedule_id}/events/pending?limit=5&page=1").json()
    assert (page["page"], page["limit"]) == (1, 5)
    deleted = api.delete(f"/api/schedules/{schedule_id}")
    assert (deleted.status_code, deleted.json()) == (
        200,
        {"message": "Schedule and associated events deleted."},
    )
    assert api.get(f"/api/schedules/{schedule_id}").status_code == 404
    assert leftovers(repository, schedule_id) == {}


def test_the_rules_of_the_original_occur_as_they_say(api: httpx.Client, target: Receiver) -> None:
    for rule in RULES:
        created = api.post(
            "/api/schedules", json={"name": rule.name, "rrule": rule.text, "callback_url": target.url()}
        )
        assert created.status_code == 201, created.text
        schedule_id = created.json()["id"]
        found = api.get(
            f"/api/schedules/{schedule_id}/occurrences",
            params={"after": "2025-01-01T00:00:00Z", "limit": len(rule.first)},
        ).json()
        assert tuple(each["run_time"] for each in found["occurrences"]) == rule.first
        schedule = api.get(f"/api/schedules/{schedule_id}").json()
        assert schedule["state"] == ("completed" if rule.ended else "active")


def test_an_occurrence_two_seconds_ahead_fires_on_time(api: httpx.Client, target: Receiver) -> None:
    assert api.get("/readyz").status_code == 200  # the first request opens the store
    due = SystemClock().now().replace(microsecond=0) + timedelta(seconds=2)
    rule = f"DTSTART:{due:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=DAILY;COUNT=1"
    created = api.post(
        "/api/schedules", json={"name": "soon", "rrule": rule, "callback_url": target.url("/soon")}
    )
    (call,) = target.wait_for(1)
    assert (call.method, call.headers["x-rrule-run-time"]) == ("GET", f"{due:%Y-%m-%dT%H:%M:%SZ}")
    assert call.time >= due
    wait_until(lambda: len(history(api, created.json()["id"])) == 1)
    (event,) = history(api, created.json()["id"])
    assert [step["status"] for step in event["status"]] == ["ready_queue", "worker_queue", "completed"]


def test_a_failing_callback_ends_as_error_with_its_attempts(api: httpx.Client, target: Receiver) -> None:
    target.answer("/fails", Answer(status=500, body=b"no"))
    created = api.post(
        "/api/schedules",
        json={
            "name": "fails",
            "rrule": "DTSTART:20990101T000000Z\nRRULE:FREQ=YEARLY",
            "callback_url": target.url("/fails"),
            "max_retries": 2,
            "retry": {"base_seconds": 0.1},
        },
    )
    schedule_id = created.json()["id"]
    api.post(f"/api/schedules/{schedule_id}/trigger")
    wait_until(lambda: len(history(api, schedule_id)) == 1)
    (event,) = history(api, schedule_id)
    assert event["state"] == "error"
    assert [attempt["status_code"] for attempt in event["attempts"]] == [500, 500, 500]


def test_a_receiver_that_comes_back_gets_the_call(api: httpx.Client, target: Receiver) -> None:
    target.stop()
    created = api.post(
        "/api/schedules",
        json={
            "name": "patient",
            "rrule": "DTSTART:20990101T000000Z\nRRULE:FREQ=YEARLY",
            "callback_url": target.url("/back"),
            "max_retries": 50,
            "retry": {"base_seconds": 0.2, "factor": 1},
        },
    )
    schedule_id = created.json()["id"]
    event_id = api.post(f"/api/schedules/{schedule_id}/trigger").json()["_id"]
    wait_until(lambda: api.get(f"/api/events/{event_id}").json()["state"] == "retry")
    target.start()
    target.wait_for(1)
    wait_until(lambda: api.get(f"/api/events/{event_id}").json()["state"] == "completed")
