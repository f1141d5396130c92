"""Calendars to subscribe to: past runs with their outcome, runs to come, and the key in the URL."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from falcon.testing import TestClient
from icalendar import Calendar

from rrcli.core.models import EventState
from rrcli.operations import api_keys, changes, ics_feed
from rrcli.operations.context import Context
from tests.api.conftest import NOW
from tests.support.ical_reader import instants

Create = Callable[..., str]
DAILY = "FREQ=DAILY;BYHOUR=8;BYMINUTE=30;BYSECOND=0"


def events_of(text: str) -> list[Any]:
    return list(Calendar.from_ical(text).walk("VEVENT"))


def finish(context: Context, state: EventState) -> None:
    """Everything that is queued ends like this."""
    found = context.repository.events.pending(None, limit=100).items
    ended = [event.moved(state, context.now(), "As the test says") for event in found]
    context.repository.events.archive(ended, context.now())


def test_a_schedule_is_a_calendar_of_its_runs_to_come(client: TestClient, create: Create) -> None:
    id_ = create(name="Report", rrule=DAILY, timezone="Europe/Berlin")
    answer = client.simulate_get(f"/api/schedules/{id_}.ics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    found = instants(answer.text, NOW, NOW + timedelta(days=365))
    expected = [datetime(2025, 1, 5, 7, 30, tzinfo=UTC) + timedelta(days=day) for day in range(85)]
    assert sorted(each for (each,) in found.values())[:80] == expected[:80]
    assert len(found) == ics_feed.AHEAD.days
    assert {str(event["SUMMARY"]) for event in events_of(answer.text)} == {"Report"}
    assert [str(zone["TZID"]) for zone in Calendar.from_ical(answer.text).walk("VTIMEZONE")] == [
        "Europe/Berlin"
    ]


def test_a_run_keeps_its_uid_when_it_is_over_and_shows_how_it_ended(
    client: TestClient, create: Create, context: Context, clock: Any
) -> None:
    for name, state, mark in (("Good", EventState.COMPLETED, "✓"), ("Bad", EventState.ERROR, "✗")):
        id_ = create(name=name, rrule="DTSTART:20250104T120200Z\nRRULE:FREQ=DAILY")
        path = f"/api/schedules/{id_}.ics"
        (planned, *_) = events_of(client.simulate_get(path).text)
        clock.advance(timedelta(minutes=10))
        finish(context, state)
        (past, *coming) = events_of(client.simulate_get(path).text)
        assert past["UID"] == planned["UID"]
        assert past["DTSTART"].dt == planned["DTSTART"].dt
        assert past["SUMMARY"] == f"{mark} {name}"
        assert "As the test says" in past["DESCRIPTION"]
        assert len(coming) == ics_feed.AHEAD.days
        clock.advance(timedelta(minutes=-10))


def test_all_schedules_or_those_of_a_tag(client: TestClient, create: Create, context: Context) -> None:
    create(name="One", rrule=DAILY, tags=["team-a"])
    create(name="Two", rrule=DAILY)
    paused = create(name="Three", rrule=DAILY)
    changes.pause(context, paused)

    def names(query: str) -> set[str]:
        answer = client.simulate_get("/api/calendar.ics", query_string=query)
        assert answer.status_code == 200
        return {str(event["SUMMARY"]) for event in events_of(answer.text)}

    assert names("") == {"One", "Two"}
    assert names("tag=team-a") == {"One"}


def test_a_dense_schedule_is_cut_off(client: TestClient, create: Create) -> None:
    create(rrule="FREQ=SECONDLY")
    found = events_of(client.simulate_get("/api/calendar.ics").text)
    assert len(found) == ics_feed.PER_SCHEDULE


def test_a_calendar_that_has_not_changed_is_not_sent_again(client: TestClient, create: Create) -> None:
    create(rrule=DAILY)
    first = client.simulate_get("/api/calendar.ics")
    tag = first.headers["ETag"]
    again = client.simulate_get("/api/calendar.ics", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    create(rrule=DAILY)
    assert client.simulate_get("/api/calendar.ics", headers={"If-None-Match": tag}).status_code == 200


def test_one_that_is_not_there(client: TestClient) -> None:
    assert client.simulate_get(f"/api/schedules/{'0' * 24}.ics").status_code == 404
    assert client.simulate_get("/api/schedules/x.ics").status_code == 400
    assert client.simulate_get("/api/calendar.ics", query_string="tage=x").status_code == 400


@pytest.fixture
def keys(context: Context) -> dict[str, str]:
    """A key of each scope."""
    return {
        scope: api_keys.create(context, name=scope, scope=scope)[1] for scope in ("feed", "read", "admin")
    }


def status(client: TestClient, path: str, *, token: str | None = None, key: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    params = {"token": token} if token else {}
    return client.simulate_get(path, params=params, headers=headers).status_code


def test_a_feed_key_opens_calendars_and_nothing_else(client: TestClient, keys: dict[str, str]) -> None:
    assert status(client, "/api/calendar.ics") == 401
    assert status(client, "/api/calendar.ics", token=keys["feed"]) == 200
    assert status(client, f"/api/schedules/{'0' * 24}.ics", token=keys["feed"]) == 404
    assert status(client, "/api/calendar.ics", key=keys["feed"]) == 200
    assert status(client, "/api/calendar.ics", key=keys["read"]) == 200
    for path in ("/api/schedules", "/api/calendars", f"/api/schedules/{'0' * 24}", "/api/events"):
        assert status(client, path, key=keys["feed"]) == 403
        assert status(client, path, token=keys["feed"]) == 401


def test_no_other_key_may_stand_in_a_url(client: TestClient, keys: dict[str, str]) -> None:
    assert status(client, "/api/calendar.ics", token=keys["read"]) == 401
    assert status(client, "/api/calendar.ics", token=keys["admin"]) == 401
    assert status(client, "/api/calendar.ics", token=keys["feed"][:-1] + "!") == 401


def test_a_revoked_feed_key_opens_nothing(
    client: TestClient, keys: dict[str, str], context: Context, clock: Any
) -> None:
    api_keys.revoke(context, "feed")
    clock.advance(timedelta(seconds=10))
    assert status(client, "/api/calendar.ics", token=keys["feed"]) == 401


def test_the_token_is_in_no_log_line(
    client: TestClient, keys: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for token in (keys["feed"], keys["read"], "rrk_wrong"):
            status(client, "/api/calendar.ics", token=token)
        client.simulate_get("/api/calendar.ics", query_string=f"token={keys['feed']}&no=1")
    told = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "/api/calendar.ics" in told
    assert not any(key in told for key in keys.values())
    assert "rrk_wrong" not in told
