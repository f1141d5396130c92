"""Thunderbird's own library reads our calendars, and finds the very instants at which we fire."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from falcon.testing import TestClient

from rrcli.operations import ics_feed, ics_write
from rrcli.operations.context import Context
from tests.api.conftest import NOW
from tests.support import ical_js
from tests.support.clock import FakeClock

BERLIN = "DTSTART;TZID=Europe/Berlin:20250101T083000\n"
FIRST, LAST = NOW, NOW + timedelta(days=330)

SKIPPED = "at a time that the clocks skip, and repeat"
TWICE = "at a time that comes twice"
HALF = "where clocks change by half an hour"
AT_CHANGES = (SKIPPED, TWICE, HALF)
CHANGES = {
    datetime(2025, 3, 30, 1, 30, tzinfo=UTC): timedelta(hours=-1),
    datetime(2025, 4, 5, 14, 45, tzinfo=UTC): timedelta(minutes=30),
    datetime(2025, 10, 26, 0, 30, tzinfo=UTC): timedelta(hours=1),
    datetime(2025, 11, 2, 5, 30, tzinfo=UTC): timedelta(hours=1),
}
RULES = {
    "every day over both changes of the clock": BERLIN + "RRULE:FREQ=DAILY",
    SKIPPED: "DTSTART;TZID=Europe/Berlin:20250301T023000\nRRULE:FREQ=DAILY",
    TWICE: "DTSTART;TZID=America/New_York:20250301T013000\nRRULE:FREQ=DAILY",
    "in UTC": "DTSTART:20250105T120000Z\nRRULE:FREQ=DAILY;INTERVAL=3",
    "on working days": BERLIN + "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "every other week": BERLIN + "RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
    "on the second Tuesday": BERLIN + "RRULE:FREQ=MONTHLY;BYDAY=2TU",
    "on the last working day": BERLIN + "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "on the last day of the month": BERLIN + "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1",
    "on the 31st": BERLIN + "RRULE:FREQ=MONTHLY;BYMONTHDAY=31",
    "twice a year": BERLIN + "RRULE:FREQ=YEARLY;BYMONTH=3,10;BYMONTHDAY=30",
    "ten times": BERLIN + "RRULE:FREQ=DAILY;COUNT=10",
    "until a day in spring": BERLIN + "RRULE:FREQ=DAILY;UNTIL=20250401T063000Z",
    "three times a day": BERLIN + "RRULE:FREQ=DAILY;BYHOUR=8,12,18",
    "in two weeks of the year": BERLIN + "RRULE:FREQ=YEARLY;BYWEEKNO=10,44;BYDAY=MO",
    "with days taken out": BERLIN
    + "RRULE:FREQ=DAILY\nEXDATE;TZID=Europe/Berlin:20250401T083000,20250110T083000",
    "with days beside it": BERLIN
    + "RRULE:FREQ=WEEKLY\nRDATE;TZID=Europe/Berlin:20250401T101500,20251026T023000",
    "of dates alone": BERLIN + "RDATE;TZID=Europe/Berlin:20250201T083000,20250701T083000",
    HALF: "DTSTART;TZID=Australia/Lord_Howe:20250101T014500\nRRULE:FREQ=DAILY",
}


@pytest.fixture
def made(client: TestClient, context: Context) -> dict[str, str]:
    """A schedule for each rule, by the UID of its exported event; of one, runs are skipped and moved."""
    ical_js.require()
    ids = {}
    for name, rule in RULES.items():
        body = {"name": name, "rrule": rule, "callback_url": "https://example.com/"}
        answer = client.simulate_post("/api/schedules", json=body)
        assert answer.status_code == 201, answer.text
        ids[name] = answer.json["id"]
    one = f"/api/schedules/{ids['on working days']}"
    skip = {"at": "2025-03-31T06:30:00Z", "reason": "Move of the receiver"}
    move = {"at": "2025-01-07T07:30:00Z", "to": "2025-01-11T09:00:00Z"}
    assert client.simulate_post(f"{one}/skip", json=skip).status_code == 200
    assert client.simulate_post(f"{one}/move", json=move).status_code == 200
    return ids


def ours(client: TestClient, schedule_id: str, start: datetime, end: datetime) -> list[datetime]:
    """What the service itself says it will fire."""
    params = {"after": start.isoformat(), "before": end.isoformat(), "limit": "1000"}
    answer = client.simulate_get(f"/api/schedules/{schedule_id}/occurrences", params=params)
    assert answer.status_code == 200, answer.text
    return [
        datetime.fromisoformat(each["run_time"])
        for each in answer.json["occurrences"]
        if "excluded" not in each
    ]


def test_exported_rules_occur_when_we_fire(
    client: TestClient, context: Context, made: dict[str, str]
) -> None:
    schedules = context.repository.schedules.find(limit=100).items
    found = ical_js.instants(ics_write.export(context, schedules).text, FIRST, LAST)
    assert len(found) == len(RULES)
    by_uid = {each.name: found[ics_write.uid_of(each)] for each in schedules}
    for name, schedule_id in made.items():
        expected = ours(client, schedule_id, FIRST, LAST)
        if name in AT_CHANGES:
            # The known difference: for a rule's time that is not there, or twice, RFC 5545, 3.3.5 takes the
            # offset from before, and the first pass; ical.js does otherwise.
            expected = [each + CHANGES.get(each, timedelta()) for each in expected]
        assert by_uid[name] == expected, name


@pytest.mark.parametrize("days", [0, 270], ids=["in winter", "in autumn"])
def test_a_feed_shows_the_runs_to_come(
    client: TestClient, made: dict[str, str], clock: FakeClock, days: int
) -> None:
    clock.advance(timedelta(days=days))
    start, end = clock.now(), clock.now() + ics_feed.AHEAD
    for name, schedule_id in made.items():
        text = client.simulate_get(f"/api/schedules/{schedule_id}.ics").text
        found = sorted(moment for each in ical_js.instants(text, start, end).values() for moment in each)
        assert found == ours(client, schedule_id, start, end)[: ics_feed.PER_SCHEDULE], name


def test_long_and_strange_names_arrive_whole(client: TestClient, create: Callable[..., str]) -> None:
    ical_js.require()
    name = " ".join(["Löschen; sichern, \\n prüfen 🎉"] * 6)
    text = client.simulate_get(f"/api/schedules/{create(name=name, rrule='FREQ=DAILY')}.ics").text
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    found = ical_js.instants(text, NOW, datetime(2026, 1, 1, tzinfo=UTC))
    assert len(found) == text.count("BEGIN:VEVENT") >= ics_feed.AHEAD.days - 1
