"""Lists, changes under If-Match, pause, resume, trigger."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from falcon.testing import TestClient

from rrcli.operations import changes, schedules
from rrcli.operations.context import Context
from tests.support.clock import FakeClock

Create = Callable[..., str]


def test_a_new_schedule_is_shown_whole_with_what_is_secret_hidden(client: TestClient, create: Create) -> None:
    secret = "whsec_" + "A" * 32
    schedule = create(headers={"Authorization": "Bearer abc123"}, secrets=[secret], tags=["a", "b"])
    answer = client.simulate_get(f"/api/schedules/{schedule}")
    assert answer.headers["ETag"].startswith('"1.')
    assert answer.json["headers"] == {"Authorization": "********"}
    assert answer.json["secrets"] == ["********"]
    assert answer.json["tags"] == ["a", "b"]
    assert answer.json["state"] == "active"
    assert answer.json["next_run"] == "2025-01-04T12:00:00Z"
    assert "abc123" not in answer.text


def test_what_was_read_can_be_changed_and_written_again(
    client: TestClient, context: Context, create: Create
) -> None:
    schedule = create(headers={"Authorization": "Bearer abc123"}, secrets=["whsec_" + "A" * 32])
    read = client.simulate_get(f"/api/schedules/{schedule}").json
    written = {name: read[name] for name in ("name", "headers", "secrets", "rrule")} | {"name": "Other"}
    assert client.simulate_put(f"/api/schedules/{schedule}", json=written).status_code == 200
    stored = schedules.get(context, schedule)
    assert stored.name == "Other"
    assert stored.headers == {"Authorization": "Bearer abc123"}
    assert stored.secrets == ("whsec_" + "A" * 32,)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_keeps_the_fields_that_are_not_given(
    client: TestClient, create: Create, method: str
) -> None:
    schedule = create(body="x", retry={"factor": 3})
    answer = client.simulate_request(
        method, f"/api/schedules/{schedule}", json={"retry": {"base_seconds": 5}}
    )
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"2"'
    read = client.simulate_get(f"/api/schedules/{schedule}").json
    assert read["body"] == "x"
    assert read["retry"] == {"base_seconds": 5.0, "factor": 3.0, "cap_seconds": 3600.0}


def test_a_change_that_changes_nothing_keeps_the_revision(client: TestClient, create: Create) -> None:
    answer = client.simulate_patch(f"/api/schedules/{create()}", json={})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')


MATCHING = ['"1"', '"7", "1"', '"1","7"', "*", ' "1" ', '"a,b", "1"']
STALE = ['"2"', '"2", "3"', '"abc"', '"01"', '""']
MALFORMED = ["1", 'W/"1"', '"1", W/"2"', '"1', '"1" "2"', "", ",", '"1",', "'1'"]
CHANGES: list[tuple[str, str, Any]] = [
    ("PUT", "", {"name": "Other"}),
    ("PATCH", "", {"name": "Other"}),
    ("DELETE", "", None),
    ("POST", "/pause", None),
    ("POST", "/resume", None),
]


def change(client: TestClient, schedule: str, how: tuple[str, str, Any], tag: str) -> Any:
    method, action, body = how
    path = f"/api/schedules/{schedule}{action}"
    return client.simulate_request(method, path, json=body, headers={"If-Match": tag})


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("tag", MATCHING)
def test_a_change_is_made_when_if_match_names_the_revision(
    client: TestClient, create: Create, how: tuple[str, str, Any], tag: str
) -> None:
    assert change(client, create(), how, tag).status_code == 200


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("tag", STALE)
def test_a_stale_if_match_changes_nothing_and_is_told_the_revision(
    client: TestClient, create: Create, how: tuple[str, str, Any], tag: str
) -> None:
    schedule = create()
    answer = change(client, schedule, how, tag)
    assert answer.status_code == 412
    assert answer.json["error"]["code"] == "conflict"
    assert answer.headers["ETag"] == '"1"'
    read = client.simulate_get(f"/api/schedules/{schedule}")
    assert read.headers["ETag"].startswith('"1.')


@pytest.mark.parametrize("tag", MALFORMED)
def test_an_if_match_that_cannot_be_read_is_refused(client: TestClient, create: Create, tag: str) -> None:
    answer = change(client, create(), CHANGES[0], tag)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "invalid_request")


def test_a_change_between_comparing_and_writing_is_stale_too(
    client: TestClient, context: Context, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = create()
    get = schedules.get

    def get_and_be_overtaken(context: Context, schedule_id: str) -> Any:
        monkeypatch.setattr(schedules, "get", get)
        found = get(context, schedule_id)
        changes.update(context, schedule_id, {"name": "Faster"})
        return found

    monkeypatch.setattr(schedules, "get", get_and_be_overtaken)
    answer = change(client, schedule, CHANGES[0], '"1"')
    assert (answer.status_code, answer.headers["ETag"]) == (412, '"2"')
    assert schedules.get(context, schedule).name == "Faster"


def test_of_many_changes_at_once_under_one_revision_one_is_made(client: TestClient, create: Create) -> None:
    schedule = create()

    def rename(number: int) -> int:
        body, tag = {"name": f"Name {number}"}, {"If-Match": '"1"'}
        return client.simulate_patch(f"/api/schedules/{schedule}", json=body, headers=tag).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(rename, range(16)))
    assert answers == [200] + [412] * 15


def test_lists_are_paged_newest_first_and_counted(
    client: TestClient, create: Create, clock: FakeClock
) -> None:
    made = []
    for number in range(5):
        made.append(create(name=f"Backup {number}"))
        clock.advance(timedelta(seconds=1))
    first = client.simulate_get("/api/schedules?limit=2").json
    last = client.simulate_get("/api/schedules?limit=2&page=3").json
    assert list(first) == ["schedules", "page", "limit", "total"]
    assert [each["id"] for each in first["schedules"]] == [made[4], made[3]]
    assert [each["id"] for each in last["schedules"]] == [made[0]]
    assert (last["page"], last["limit"], last["total"]) == (3, 2, 5)
    assert client.simulate_get("/api/schedules?page=10000&limit=1000").json["schedules"] == []


def test_fifty_is_the_size_of_a_page_unless_told(client: TestClient) -> None:
    assert client.simulate_get("/api/schedules").json == {
        "schedules": [],
        "page": 1,
        "limit": 50,
        "total": 0,
    }


def test_lists_are_filtered_by_state_name_and_tag(client: TestClient, create: Create) -> None:
    nightly = create(name="Nightly backup", tags=["night"])
    paused = create(name="Report")
    client.simulate_post(f"/api/schedules/{paused}/pause")

    def found(query: str) -> list[str]:
        return [each["id"] for each in client.simulate_get(f"/api/schedules?{query}").json["schedules"]]

    assert found("state=paused") == [paused]
    assert found("name=BACK") == [nightly]
    assert found("tag=night") == [nightly]
    assert found("tag=night&state=paused") == []


def test_pause_says_why_and_resume_forgets_it(client: TestClient, create: Create) -> None:
    schedule = create()
    paused = client.simulate_post(f"/api/schedules/{schedule}/pause", json={"reason": "Moving house"})
    assert paused.status_code == 200
    assert (paused.json["state"], paused.json["state_reason"]) == ("paused", "Moving house")
    assert paused.json["next_run"] is None
    assert client.simulate_get(f"/api/schedules/{schedule}/events/pending").json["events"] == []
    again = client.simulate_post(f"/api/schedules/{schedule}/pause")
    assert again.headers["ETag"] == paused.headers["ETag"]
    resumed = client.simulate_post(f"/api/schedules/{schedule}/resume")
    assert (resumed.json["state"], resumed.json["state_reason"]) == ("active", None)
    assert client.simulate_get(f"/api/schedules/{schedule}/events/pending").json["events"] != []


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_a_completed_schedule_is_a_conflict(client: TestClient, create: Create, action: str) -> None:
    schedule = create(rrule="DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;COUNT=1")
    answer = client.simulate_post(f"/api/schedules/{schedule}/{action}")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "conflict")
    matching = client.simulate_post(f"/api/schedules/{schedule}/{action}", headers={"If-Match": '"1"'})
    assert matching.status_code == 409


def test_trigger_makes_an_event_that_is_due_now(client: TestClient, create: Create) -> None:
    answer = client.simulate_post(f"/api/schedules/{create(rrule='FREQ=YEARLY')}/trigger")
    assert answer.status_code == 201
    assert answer.json["kind"] == "manual"
    assert answer.json["due"] == "2025-01-04T12:00:00Z"
    assert answer.headers["Location"] == f"/api/events/{answer.json['_id']}"
    assert client.simulate_get(answer.headers["Location"]).json == answer.json
