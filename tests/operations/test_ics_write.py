"""Schedules as iCalendar: what a calendar program computes from the text is what the schedule does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from rrcli.core.exclusions import allowed_from
from rrcli.errors import InvalidInput
from rrcli.operations import calendars, ics_write, ics_zones, schedules, skips
from rrcli.operations.context import Context
from rrcli.operations.rules import recurrence_of
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings
from tests.support.clock import FakeClock
from tests.support.ical_reader import instants

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AHEAD = timedelta(days=800)
BEGIN = "DTSTART;TZID=Europe/Berlin:20270104T083000\n"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """One store is enough: nothing here asks more of it than to keep a schedule."""
    clock = FakeClock(NOW)
    with SqliteRepository.open(tmp_path / "store.db", clock) as repository:
        yield Context(repository=repository, clock=clock, settings=Settings())


def made(context: Context, rule: str, **fields: object) -> str:
    data = {"name": "job", "rrule": rule, "callback_url": "http://127.0.0.1:9/", **fields}
    return schedules.create(context, data).id


def check(context: Context, id_: str, ahead: timedelta = AHEAD) -> ics_write.Written:
    """The occurrences that a calendar computes equal ours."""
    schedule, now = schedules.get(context, id_), context.now()
    written = ics_write.export(context, [schedule])
    exclusions = context.exclusions([schedule])[id_]
    expected = []
    for each in allowed_from(recurrence_of(schedule), exclusions, now):
        if each >= now + ahead:
            break
        expected.append(each)
    found = instants(written.text, now, now + ahead)
    assert found.get(ics_write.uid_of(schedule), []) == expected
    return written


@pytest.mark.parametrize(
    "rule",
    [
        BEGIN + "RRULE:FREQ=DAILY",
        BEGIN + "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;BYHOUR=9;BYMINUTE=15;BYSECOND=0",
        BEGIN + "RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20280101",
        BEGIN + "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        BEGIN + "RRULE:FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=31",
        BEGIN + "RRULE:FREQ=DAILY;COUNT=40\nEXDATE;VALUE=DATE:20270110\nRDATE:20270501T120000Z",
        "DTSTART;TZID=Europe/Berlin:20270327T023000\nRRULE:FREQ=DAILY",
        "DTSTART;TZID=America/New_York:20261031T013000\nRRULE:FREQ=WEEKLY;BYDAY=SU",
        "DTSTART:20270101T000000Z\nRDATE:20270105T000000Z,20270107T000000Z",
        "DTSTART;TZID=Africa/Casablanca:20270101T120000\nRRULE:FREQ=DAILY;INTERVAL=9",
    ],
)
def test_a_rule_that_calendars_share_is_written_as_one(context: Context, rule: str) -> None:
    written = check(context, made(context, rule))
    assert written.listed == ()
    assert "BYHOUR" not in written.text


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY;INTERVAL=5",
        "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0;BYSECOND=0",
        BEGIN + "RRULE:FREQ=MONTHLY;BYMONTHDAY=13\nRRULE:FREQ=WEEKLY;BYDAY=FR",
        BEGIN + "RRULE:FREQ=YEARLY;BYWEEKNO=20",
        BEGIN + "RRULE:RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;BYMONTHDAY=31",
        BEGIN + "RRULE:FREQ=WEEKLY;BYDAY=MO,TH,FR;BYSETPOS=2",
    ],
)
def test_another_one_is_listed_and_said_to_be(context: Context, rule: str) -> None:
    id_ = made(context, rule)
    written = check(context, id_, timedelta(days=60))
    assert written.listed == ("job",)
    assert "RRULE" not in written.text.partition("BEGIN:VEVENT")[2]


def test_skipped_moved_and_excluded_occurrences_are_not_in_it(context: Context) -> None:
    holidays = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{day}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    now = context.now()
    calendars.put(context, "holidays", holidays.format(day=f"{now + timedelta(days=20):%Y%m%d}"))
    id_ = made(context, "FREQ=DAILY;BYHOUR=8;BYMINUTE=0;BYSECOND=0", exclude_calendars=["holidays"])
    skips.skip(context, id_, count=2)
    later = recurrence_of(schedules.get(context, id_)).after(now + timedelta(days=5))
    assert later is not None
    skips.move(context, id_, at=later, to=later + timedelta(hours=3))
    assert "EXDATE" in check(context, id_).text


def test_it_is_what_calendars_ask_for(context: Context) -> None:
    id_ = made(context, BEGIN + "RRULE:FREQ=DAILY", name="Grüße, wirklich; " + "ü" * 60)
    text = ics_write.export(context, [schedules.get(context, id_)]).text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert text.endswith("END:VCALENDAR\r\n")
    calendar = Calendar.from_ical(text)
    (event,) = calendar.walk("VEVENT")
    assert {"PRODID", "VERSION"} <= set(calendar)
    assert event["SUMMARY"] == "Grüße, wirklich; " + "ü" * 60
    assert event["UID"] == f"{id_}@rrule-scheduler"
    assert event["DTSTAMP"].dt == schedules.get(context, id_).updated_at.replace(microsecond=0)
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/Berlin"]


def test_what_is_over_is_left_out(context: Context) -> None:
    id_ = made(context, "DTSTART:20200101T000000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=1;COUNT=2")
    assert "VEVENT" not in ics_write.export(context, [schedules.get(context, id_)]).text


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Jerusalem"]


@pytest.mark.parametrize("name", [*ZONES, "Asia/Kolkata", "America/Sao_Paulo"])
def test_a_time_zone_is_defined_as_it_is(name: str) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    zone = ics_zones.component(name, 2015, now).to_tz(lookup_tzid=False)
    instant = datetime(2016, 1, 1, tzinfo=UTC)
    while instant < datetime(2044, 1, 1, tzinfo=UTC):
        wall = instant.astimezone(ZoneInfo(name)).replace(tzinfo=None)
        offsets = {(wall + timedelta(hours=h)).replace(tzinfo=ZoneInfo(name)).utcoffset() for h in (-2, 0, 2)}
        if len(offsets) == 1:  # what is skipped or repeated, libraries read in their own ways
            assert wall.replace(tzinfo=zone).utcoffset() == offsets.pop(), wall
        instant += timedelta(hours=31)


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Jerusalem"])
def test_a_defined_zone_of_another_name_is_found_by_its_rules(name: str) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    definition = ics_zones.component(name, 2015, now)
    found = ics_zones.iana_name("Custom 1", definition, now)
    assert found is not None
    days = [now + timedelta(hours=7 * number) for number in range(1000)]
    assert [day.astimezone(ZoneInfo(found)).utcoffset() for day in days] == [
        day.astimezone(ZoneInfo(name)).utcoffset() for day in days
    ]


FREQUENCIES = st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])


def some(items: st.SearchStrategy[object]) -> st.SearchStrategy[list[object]]:
    return st.lists(items, min_size=1, max_size=3, unique=True)


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "INTERVAL": st.integers(1, 5),
        "BYMONTH": some(st.integers(1, 12)),
        "BYMONTHDAY": st.lists(
            st.integers(1, 31) | st.integers(-31, -1), min_size=1, max_size=3, unique=True
        ),
        "BYDAY": st.lists(
            st.sampled_from(["MO", "TU", "SA", "2MO", "-1FR"]), min_size=1, max_size=2, unique=True
        ),
        "BYHOUR": some(st.integers(4, 23)),
        "BYSETPOS": st.sampled_from([1, -1]),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    FREQUENCIES,
    PARTS,
    st.sampled_from(["", ";COUNT=7", ";UNTIL=20280601T000000Z"]),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_calendars_compute_what_we_do(
    context: Context, frequency: str, parts: dict[str, object], end: str, zone: str
) -> None:
    listed = {name: value if isinstance(value, list) else [value] for name, value in parts.items()}
    text = ";".join(f"{name}={','.join(map(str, value))}" for name, value in listed.items())
    rule = f"DTSTART:20270105T101500\nRRULE:FREQ={frequency}{end}" + (f";{text}" if text else "")
    try:
        id_ = made(context, rule, timezone=zone)
    except InvalidInput:  # what the engine refuses is not of interest here
        return
    check(context, id_, timedelta(days=360))
