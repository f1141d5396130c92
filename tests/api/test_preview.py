"""When a rule fires: /api/preview, and the occurrences of a schedule."""

from collections.abc import Callable

import pytest
from falcon.testing import TestClient

Create = Callable[..., str]
DST = "DTSTART;TZID=Europe/Berlin:20250329T083000\nRRULE:FREQ=DAILY;COUNT=3"


def test_a_rule_without_start_starts_now(client: TestClient) -> None:
    answer = client.simulate_post("/api/preview", json={"rrule": "FREQ=DAILY", "limit": 2})
    assert answer.status_code == 200
    assert answer.json["rrule"] == "DTSTART:20250104T120000Z\nRRULE:FREQ=DAILY"
    assert answer.json["timezone"] == "UTC"
    assert answer.json["more"] is True
    assert [each["run_time"] for each in answer.json["occurrences"]] == [
        "2025-01-04T12:00:00Z",
        "2025-01-05T12:00:00Z",
    ]


def test_local_times_carry_the_offset_of_their_day(client: TestClient) -> None:
    answer = client.simulate_post("/api/preview", json={"rrule": DST})
    assert answer.json["occurrences"] == [
        {"run_time": "2025-03-29T07:30:00Z", "local": "2025-03-29T08:30:00+01:00"},
        {"run_time": "2025-03-30T06:30:00Z", "local": "2025-03-30T08:30:00+02:00"},
        {"run_time": "2025-03-31T06:30:00Z", "local": "2025-03-31T08:30:00+02:00"},
    ]
    assert answer.json["more"] is False


def test_the_range_takes_its_start_and_leaves_its_end(client: TestClient) -> None:
    body = {"rrule": DST, "after": "2025-03-30T06:30:00Z", "before": "2025-03-31T08:30:00+02:00"}
    occurrences = client.simulate_post("/api/preview", json=body).json["occurrences"]
    assert [each["run_time"] for each in occurrences] == ["2025-03-30T06:30:00Z"]


@pytest.mark.parametrize(
    "fields",
    [
        {"limit": 0},
        {"limit": 1001},
        {"after": "2025-01-01T00:00:00"},
        {"before": "tomorrow"},
        {"after": 5},
        {"timezone": "Middle/Earth"},
        {"rrule": "FREQ=NEVER"},
    ],
    ids=str,
)
def test_a_wrong_field_is_named(client: TestClient, fields: dict[str, object]) -> None:
    answer = client.simulate_post("/api/preview", json={"rrule": "FREQ=DAILY"} | fields)
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json["error"]["details"]] == list(fields)


def test_the_rule_is_required(client: TestClient) -> None:
    answer = client.simulate_post("/api/preview", json={"limit": 0})
    assert [each["field"] for each in answer.json["error"]["details"]] == ["rrule", "limit"]


def test_nothing_is_stored(client: TestClient) -> None:
    client.simulate_post("/api/preview", json={"rrule": "FREQ=MINUTELY"})
    assert client.simulate_get("/api/schedules").json["total"] == 0
    assert client.simulate_get("/api/events").json["total"] == 0


def test_occurrences_of_a_schedule_are_listed_whatever_its_state(client: TestClient, create: Create) -> None:
    schedule = create(rrule=DST)
    client.simulate_post(f"/api/schedules/{schedule}/pause")
    answer = client.simulate_get(f"/api/schedules/{schedule}/occurrences?limit=1&after=2025-03-30T00:00:00Z")
    assert answer.json == {
        "occurrences": [{"run_time": "2025-03-30T06:30:00Z", "local": "2025-03-30T08:30:00+02:00"}],
        "more": True,
    }


def test_a_plus_that_the_url_made_a_blank_is_understood(client: TestClient, create: Create) -> None:
    path = f"/api/schedules/{create(rrule=DST)}/occurrences"
    query = "after=2025-03-30T08:30:00+02:00&limit=1"
    occurrences = client.simulate_get(path, query_string=query).json["occurrences"]
    assert occurrences[0]["run_time"] == "2025-03-30T06:30:00Z"


@pytest.mark.parametrize("query", ["limit=1001", "after=now", "before=2025-01-01", "after=2025-01-01T00:00"])
def test_a_wrong_range_is_refused(client: TestClient, create: Create, query: str) -> None:
    answer = client.simulate_get(f"/api/schedules/{create()}/occurrences", query_string=query)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "invalid_request")
    assert answer.json["error"]["details"][0]["field"] == query.partition("=")[0]


def test_the_last_day_of_the_calendar_is_shown(client: TestClient) -> None:
    body = {"rrule": "DTSTART;TZID=Pacific/Kiritimati:99991231T120000\nRRULE:FREQ=DAILY;COUNT=1"}
    answer = client.simulate_post("/api/preview", json=body)
    assert answer.status_code == 200
