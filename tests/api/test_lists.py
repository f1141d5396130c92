"""Lists in parts: `after` and `next`, filters, and the original's pages beside them."""

from collections.abc import Callable
from typing import Any

import pytest
from falcon.testing import TestClient

Create = Callable[..., str]
FAR_OUT = "LTk5OTk5OTk5OTk5OTk5OS4wMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA"
LISTS = [
    "/api/schedules",
    "/api/events",
    "/api/schedules/{}/events/pending",
    "/api/schedules/{}/events/history",
]


def whole(client: TestClient, path: str, key: str, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        part = client.simulate_get(path, params=params | {"after": cursor, "limit": "4"}).json
        assert list(part) == [key, "limit", "next"]
        found += part[key]
        cursor = part["next"]
    return found


def test_the_parts_of_a_list_are_its_pages(client: TestClient, create: Create) -> None:
    schedule_id = create()
    for _ in range(9):
        create(tags=["x"], rrule="FREQ=YEARLY;BYMONTH=6")
    for path, key in (
        ("/api/schedules", "schedules"),
        ("/api/events", "events"),
        (f"/api/schedules/{schedule_id}/events/pending", "events"),
    ):
        assert whole(client, path, key) == client.simulate_get(path).json[key]
    assert len(whole(client, "/api/schedules", "schedules", tag="x")) == 9


def test_a_filter_answers_a_part(client: TestClient, create: Create) -> None:
    path = f"/api/schedules/{create()}/events/pending"
    ranged = client.simulate_get(
        path, params={"from": "2025-01-04T12:02:00Z", "to": "2025-01-04T12:04:00Z", "status": "ready_queue"}
    ).json
    assert [each["run_time"] for each in ranged["events"]] == ["2025-01-04T12:02:00Z", "2025-01-04T12:03:00Z"]
    assert ranged["next"] is None
    assert client.simulate_get(path, params={"status": "retry"}).json["events"] == []


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("cursor", ["x", "AAAA", "MS4", "Ö", FAR_OUT])
def test_what_is_no_cursor_is_refused(client: TestClient, create: Create, path: str, cursor: str) -> None:
    answer = client.simulate_get(path.format(create()), params={"after": cursor})
    assert answer.status_code == 400
    assert answer.json["error"]["details"][0]["field"] == "after"


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_and_a_page_are_not_given_together(client: TestClient, create: Create, path: str) -> None:
    answer = client.simulate_get(path.format(create()), params={"after": "", "page": "1"})
    assert (answer.status_code, answer.json["error"]["details"][0]["field"]) == (400, "page")
