"""Events of calendar files as rules: what moved, was added or cancelled, the instances are those meant."""

from datetime import UTC, datetime

import pytest

from rrcli.core.recurrence import Recurrence
from rrcli.errors import InvalidInput
from rrcli.operations.ics_read import Repeating, read

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ZONE = """\
BEGIN:VTIMEZONE
TZID:Our own zone
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE
"""


def calendar(*events: str, head: str = "") -> str:
    body = "".join(f"BEGIN:VEVENT\nUID:1\nSUMMARY:Job\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{body}END:VCALENDAR\n"


def one(*events: str, head: str = "", timezone: str | None = None) -> Repeating:
    (found,) = read(calendar(*events, head=head), timezone=timezone, now=NOW)
    return found


def days(found: Repeating, limit: int = 10) -> list[str]:
    recurrence = Recurrence.parse(found.rrule, timezone=found.timezone)
    return [f"{each:%m-%dT%H:%M}" for each in recurrence.occurrences(limit=limit)]


BERLIN = "DTSTART;TZID=Europe/Berlin:20261201T090000\nRRULE:FREQ=DAILY;COUNT=4"


def test_a_rule_on_the_clock_of_its_zone() -> None:
    found = one(BERLIN)
    assert (found.uid, found.name, found.timezone) == ("1", "Job", "Europe/Berlin")
    assert found.rrule == "DTSTART;TZID=Europe/Berlin:20261201T090000\nRRULE:FREQ=DAILY;COUNT=4"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("EXDATE;TZID=Europe/Berlin:20261202T090000", ["12-01T08:00", "12-03T08:00", "12-04T08:00"]),
        ("EXDATE:20261202T080000Z,20261204T080000Z", ["12-01T08:00", "12-03T08:00"]),
        ("EXDATE;VALUE=DATE:20261202", ["12-01T08:00", "12-03T08:00", "12-04T08:00"]),
        (
            "RDATE:20261224T120000Z",
            ["12-01T08:00", "12-02T08:00", "12-03T08:00", "12-04T08:00", "12-24T12:00"],
        ),
        (
            "RDATE;VALUE=PERIOD;TZID=America/New_York:20261224T120000/PT1H",
            ["12-01T08:00", "12-02T08:00", "12-03T08:00", "12-04T08:00", "12-24T17:00"],
        ),
    ],
)
def test_added_and_removed_dates(lines: str, expected: list[str]) -> None:
    assert days(one(f"{BERLIN}\n{lines}")) == expected


def test_moved_and_cancelled_instances() -> None:
    moved = "RECURRENCE-ID;TZID=Europe/Berlin:20261202T090000\nDTSTART;TZID=Europe/Berlin:20261202T143000"
    cancelled = "RECURRENCE-ID:20261203T080000Z\nDTSTART:20261203T080000Z\nSTATUS:CANCELLED"
    renamed = "RECURRENCE-ID:20261204T080000Z\nDTSTART:20261204T080000Z"
    assert days(one(BERLIN, moved, cancelled, renamed)) == ["12-01T08:00", "12-02T13:30", "12-04T08:00"]


def test_a_start_that_the_rule_has_not_is_the_first_instance_and_counts() -> None:
    # RFC 5545 3.8.5.3; 1 December 2026 is a Tuesday.
    start = "DTSTART:20261201T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=FR"
    assert days(one(f"{start};COUNT=3")) == ["12-01T09:00", "12-04T09:00", "12-11T09:00"]
    assert days(one(f"{start};COUNT=1")) == ["12-01T09:00"]


def test_whole_days_and_bare_times_are_on_the_calendars_clock() -> None:
    day = "DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;UNTIL=20271224"
    assert days(one(day)) == ["12-24T00:00", "12-24T00:00"]
    assert days(one(day, head="X-WR-TIMEZONE:Asia/Tokyo\n")) == ["12-23T15:00", "12-23T15:00"]
    assert days(one("DTSTART:20261224T090000", head="X-WR-TIMEZONE:Asia/Tokyo\n")) == ["12-24T00:00"]
    assert days(one(day, head="X-WR-TIMEZONE:Asia/Tokyo\n", timezone="UTC")) == ["12-24T00:00"] * 2


def test_dates_without_a_rule() -> None:
    listed = "DTSTART:20261201T090000Z\nRDATE:20261205T090000Z,20261207T090000Z"
    assert days(one(listed)) == ["12-01T09:00", "12-05T09:00", "12-07T09:00"]
    assert days(one(f"{listed}\nEXDATE:20261201T090000Z")) == ["12-05T09:00", "12-07T09:00"]


@pytest.mark.parametrize(
    ("tzid", "name"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("Eastern Standard Time", "America/New_York"),
    ],
)
def test_zones_of_other_programs_are_known(tzid: str, name: str) -> None:
    assert one(f"DTSTART;TZID={tzid}:20261201T090000").timezone == name


def test_a_zone_that_the_file_defines_is_one_with_the_same_rules() -> None:
    found = one("DTSTART;TZID=Our own zone:20261201T090000\nRRULE:FREQ=MONTHLY", head=ZONE)
    assert days(found, 8)[::7] == ["12-01T08:00", "07-01T07:00"]


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ("DTSTART;TZID=Nowhere/At all:20261201T090000", "its time zone 'Nowhere/At all' is none"),
        ("DTSTART:20261201T090000Z\nRRULE:FREQ=DAILY;COUNT=0", "COUNT"),
        ("DTSTART:20261201T090000Z\nEXRULE:FREQ=DAILY", "EXRULE is deprecated"),
        ("RRULE:FREQ=DAILY", "no DTSTART"),
        ("DTSTART:20261201T090000Z\nEXDATE:20261201T090000Z", "all its instances are cancelled"),
    ],
)
def test_what_cannot_be_taken_over_is_refused_with_the_reason(event: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        one(event)
    (told,) = refused.value.fields
    assert told.field == "event Job"
    assert problem in told.allowed


def test_a_zone_with_offsets_of_no_place_is_refused() -> None:
    strange = ZONE.replace("+0200", "+0217").replace("+0100", "+0117")
    with pytest.raises(InvalidInput, match="its time zone 'Our own zone' is none"):
        one("DTSTART;TZID=Our own zone:20261201T090000", head=strange)


def test_changes_of_all_that_follows_are_refused() -> None:
    change = "RECURRENCE-ID;RANGE=THISANDFUTURE:20261202T080000Z\nDTSTART:20261202T120000Z"
    with pytest.raises(InvalidInput, match="RANGE"):
        one(BERLIN, change)


def test_all_events_that_are_wrong_are_told_at_once() -> None:
    text = "BEGIN:VCALENDAR\n" + "".join(
        f"BEGIN:VEVENT\nUID:{number}\nSUMMARY:E{number}\nDTSTART:20261201T090000Z\nRRULE:FREQ=X\nEND:VEVENT\n"
        for number in range(3)
    )
    with pytest.raises(InvalidInput) as refused:
        read(f"{text}END:VCALENDAR\n", timezone=None, now=NOW)
    assert [each.field for each in refused.value.fields] == ["event E0", "event E1", "event E2"]


@pytest.mark.parametrize(
    "text", ["", "no calendar", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "BEGIN:VEVENT\nEND:VEVENT"]
)
def test_what_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read(text, timezone=None, now=NOW)
