"""Skips, moves and holiday calendars over REST."""

from collections.abc import Callable
from typing import Any

import pytest
from falcon.testing import Result, TestClient

Create = Callable[..., str]

ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Epiphany\r\n"
    "DTSTART;VALUE=DATE:20250106\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
RULE = "DTSTART:20250104T123000Z\nRRULE:FREQ=DAILY"


def post(client: TestClient, schedule_id: str, what: str, body: dict[str, Any], **headers: str) -> Result:
    return client.simulate_post(f"/api/schedules/{schedule_id}/{what}", json=body, headers=headers)


def put(client: TestClient, name: str, text: str = ICS, kind: str = "text/calendar") -> Result:
    return client.simulate_put(f"/api/calendars/{name}", body=text, headers={"Content-Type": kind})


def excluded(client: TestClient, schedule_id: str) -> list[str | None]:
    answer = client.simulate_get(f"/api/schedules/{schedule_id}/occurrences", params={"limit": "4"})
    return [each.get("excluded") for each in answer.json["occurrences"]]


def test_skip_unskip_and_move_answer_the_schedule(client: TestClient, create: Create) -> None:
    schedule_id = create(rrule=RULE)
    skipped = post(client, schedule_id, "skip", {"count": 2, "reason": "closed"})
    assert (skipped.status_code, skipped.headers["ETag"]) == (200, '"2"')
    assert skipped.json["next_run"] == "2025-01-06T12:30:00Z"
    assert [each["reason"] for each in skipped.json["skips"]] == ["closed", "closed"]

    moved = post(
        client, schedule_id, "move", {"at": "2025-01-06T12:30:00Z", "to": "2025-01-06T14:00:00+01:00"}
    )
    assert moved.json["next_run"] == "2025-01-06T13:00:00Z"
    assert excluded(client, schedule_id) == [
        "Skipped by hand: closed",
        "Skipped by hand: closed",
        "Moved by hand to 2025-01-06T13:00:00Z",
        None,
    ]
    assert post(client, schedule_id, "unskip", {"all": True}).json["skips"] == []
    assert post(client, schedule_id, "unskip", {}).status_code == 409


def test_a_skip_needs_no_body_and_honours_if_match(client: TestClient, create: Create) -> None:
    schedule_id = create(rrule=RULE)
    path = f"/api/schedules/{schedule_id}/skip"
    assert client.simulate_post(path, headers={"If-Match": '"2"'}).status_code == 412
    assert client.simulate_post(path, headers={"If-Match": '"1"'}).status_code == 200


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("skip", {"at": "2025-01-05T00:00:00Z"}, 409),
        ("skip", {"count": 0}, 422),
        ("skip", {"at": "tomorrow"}, 422),
        ("skip", {"until": "x"}, 422),
        ("unskip", {"all": 1}, 422),
        ("move", {"at": "2025-01-05T12:30:00Z"}, 422),
        ("move", {"at": "2025-01-05T12:30:00Z", "to": "2025-01-06T12:30:00Z"}, 409),
    ],
)
def test_what_cannot_be_done_is_refused(
    client: TestClient, create: Create, what: str, body: dict[str, Any], status: int
) -> None:
    assert post(client, create(rrule=RULE), what, body).status_code == status


def test_a_calendar_is_put_listed_read_and_deleted(client: TestClient, create: Create) -> None:
    first = put(client, "de")
    assert (first.status_code, first.json["holiday_count"]) == (201, 1)
    assert put(client, "de").status_code == 200
    listed = client.simulate_get("/api/calendars").json["calendars"]
    assert [each["name"] for each in listed] == ["de"]
    read = client.simulate_get("/api/calendars/de").json
    assert read["holidays"] == [{"day": "2025-01-06", "title": "Epiphany"}]
    schedule_id = create(rrule=RULE, exclude_calendars=["de"])
    assert excluded(client, schedule_id) == [None, None, "Holiday: Epiphany, calendar de", None]
    assert client.simulate_delete("/api/calendars/de").status_code == 409
    assert client.simulate_delete("/api/calendars/de", params={"force": "true"}).status_code == 200
    assert client.simulate_get("/api/calendars/de").status_code == 404


def test_what_is_no_calendar_is_refused(client: TestClient, create: Create) -> None:
    assert put(client, "de", "hello").status_code == 422
    assert put(client, "de", kind="application/json").status_code == 415
    assert put(client, "de", "").status_code == 400
    assert put(client, "-de").status_code == 400
    assert put(client, "de", "x" * 1_048_577).status_code == 413
    body = {"name": "a", "rrule": RULE, "callback_url": "https://example.com/", "exclude_calendars": ["no"]}
    assert client.simulate_post("/api/schedules", json=body).status_code == 422
