"""Holiday calendars: what they take out is recorded, what they no longer take out is on again."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rrcli.core.models import EventState, Schedule
from rrcli.errors import Conflict, InvalidInput, NotFound
from rrcli.operations import calendars, changes, skips
from rrcli.operations.calendar_file import read
from rrcli.operations.context import Context
from rrcli.operations.views import schedule_view
from tests.operations.standing import (
    NOON,
    archived,
    firing,
    live,
    make,
    minutes,
    on_one_store,
    prequeue,
    queued,
    run_times,
    stored,
)
from tests.support.clock import FakeClock

SKIPPED = EventState.SKIPPED


def ics(*events: str, head: str = "") -> str:
    """An iCalendar file of these events, each a few lines."""
    parts = [f"BEGIN:VEVENT\nUID:{number}\n{text}\nEND:VEVENT" for number, text in enumerate(events)]
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", *([head] if head else []), *parts, "END:VCALENDAR", ""]
    )


def freeze(first: float, last: float) -> str:
    """A closure from minute to minute after NOON, the last one not included."""
    start, end = minutes(first, last)
    return ics(f"SUMMARY:Freeze\nDTSTART:{start:%Y%m%dT%H%M%SZ}\nDTEND:{end:%Y%m%dT%H%M%SZ}")


CHRISTMAS = ics("SUMMARY:Christmas Day\nDTSTART;VALUE=DATE:20201225\nRRULE:FREQ=YEARLY")
FAR = freeze(90_000, 90_001)


def reasons(context: Context, schedule: Schedule) -> set[str]:
    return {event.status[-1].message for event in archived(context, schedule, SKIPPED)}


def test_occurrences_in_a_closure_are_recorded_with_its_name(context: Context) -> None:
    calendars.put(context, "ops", freeze(2, 5))
    schedule = make(context, exclude_calendars=["ops"])
    assert firing(context, schedule) == [NOON, *minutes(1, *range(5, 10))]
    assert run_times(archived(context, schedule, SKIPPED)) == minutes(2, 3, 4)
    assert reasons(context, schedule) == {"Holiday: Freeze, calendar ops"}


def test_a_holiday_is_a_day_on_the_clock_of_the_schedule(context: Context, clock: FakeClock) -> None:
    calendars.put(context, "de", CHRISTMAS)
    clock.advance(datetime(2026, 12, 24, 22, 55, tzinfo=UTC) - context.now())
    there = make(context, timezone="Europe/Berlin", exclude_calendars=["de"])
    here = make(context, timezone="UTC", exclude_calendars=["de"])
    assert [f"{each:%H:%M}" for each in firing(context, there)] == [f"22:{55 + n}" for n in range(5)]
    assert reasons(context, there) == {"Holiday: Christmas Day, calendar de"}
    assert len(firing(context, here)) == 10
    exclusions = context.exclusions([there])[there.id]
    clock.advance(timedelta(minutes=30))
    view = schedule_view(there, context.now(), exclusions=exclusions)
    assert view["next_run"] == "2026-12-25T23:00:00Z"


def test_importing_withdraws_what_is_out_now_and_brings_back_what_is_not(context: Context) -> None:
    calendars.put(context, "ops", freeze(2, 5))
    schedule = make(context, exclude_calendars=["ops"])
    calendars.put(context, "ops", freeze(4, 7))
    assert firing(context, schedule) == [NOON, *minutes(1, 2, 3, 7, 8, 9)]
    assert run_times(archived(context, schedule)) == minutes(4, 5, 6)
    assert {event.id for event in live(context, schedule)} <= queued(context)


def test_taking_a_calendar_off_a_schedule_and_putting_it_back(context: Context) -> None:
    calendars.put(context, "ops", freeze(2, 5))
    schedule = make(context)
    changes.update(context, schedule.id, {"exclude_calendars": ["ops"]})
    assert firing(context, schedule) == [NOON, *minutes(1, *range(5, 10))]
    changes.update(context, schedule.id, {"exclude_calendars": []})
    assert firing(context, schedule) == [NOON, *minutes(*range(1, 10))]
    assert archived(context, schedule) == []


def test_a_calendar_in_use_is_deleted_by_force_only(context: Context) -> None:
    calendars.put(context, "ops", freeze(2, 5))
    schedule = make(context, exclude_calendars=["ops"])
    with pytest.raises(Conflict, match="in use"):
        calendars.delete(context, "ops")
    calendars.delete(context, "ops", force=True)
    assert stored(context, schedule).exclude_calendars == ()
    assert firing(context, schedule) == [NOON, *minutes(*range(1, 10))]
    with pytest.raises(NotFound):
        calendars.get(context, "ops")


def test_occurrences_missed_on_a_holiday_are_one_entry_with_its_name(
    context: Context, clock: FakeClock
) -> None:
    calendars.put(context, "ops", freeze(60, 180))
    schedule = make(context, "FREQ=MINUTELY;INTERVAL=10", exclude_calendars=["ops"])
    clock.advance(timedelta(hours=3, minutes=5))
    prequeue(context)
    (holiday,) = [event for event in archived(context, schedule) if "Holiday" in event.status[-1].message]
    assert holiday.span is not None
    assert (holiday.span.first, holiday.span.last, holiday.span.count) == (*minutes(60, 170), 12)
    assert minutes(180)[0] in firing(context, schedule)


def test_a_moved_occurrence_may_not_land_on_a_holiday(context: Context) -> None:
    calendars.put(context, "ops", freeze(4, 7))
    schedule = make(context, "FREQ=HOURLY", exclude_calendars=["ops"])
    with pytest.raises(Conflict, match="Holiday: Freeze"):
        skips.move(context, schedule.id, at=minutes(60)[0], to=minutes(5)[0])


def test_a_batch_costs_one_small_query_and_reads_only_what_changed(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendars.put(context, "ops", FAR)
    schedule = make(context, exclude_calendars=["ops"])
    context.exclusions([schedule])
    read_again: list[object] = []
    get = context.repository.calendars.get

    def watched(names: set[str]) -> object:
        read_again.append(names)
        return get(names)

    monkeypatch.setattr(context.repository.calendars, "get", watched)
    context.exclusions([schedule])
    assert read_again == []
    calendars.put(context, "ops", FAR)
    context.exclusions([schedule])
    assert read_again


@on_one_store
def test_a_schedule_may_only_exclude_calendars_that_exist(context: Context) -> None:
    with pytest.raises(InvalidInput, match=r"exclude_calendars\[0\]"):
        make(context, exclude_calendars=["none"])
    schedule = make(context)
    with pytest.raises(InvalidInput, match=r"exclude_calendars\[0\]"):
        changes.update(context, schedule.id, {"exclude_calendars": ["none"]})


@on_one_store
def test_an_import_does_not_overwrite_unasked(context: Context) -> None:
    calendars.put(context, "ops", FAR)
    with pytest.raises(Conflict, match="already"):
        calendars.put(context, "ops", FAR, overwrite=False)
    with pytest.raises(InvalidInput, match="name"):
        calendars.put(context, "no/way", FAR)


def days(text: str) -> list[date]:
    return [each.day for each in read(text, NOON)[0]]


def test_days_are_read_with_their_exclusive_end_and_their_repetitions() -> None:
    text = ics(
        "SUMMARY:Two days\nDTSTART;VALUE=DATE:20260405\nDTEND;VALUE=DATE:20260407",
        "SUMMARY:One\nDTSTART;VALUE=DATE:20260501",
        "SUMMARY:Gone\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260601",
        "DTSTART;VALUE=DATE:20200703\nRRULE:FREQ=YEARLY;UNTIL=20280101\nEXDATE;VALUE=DATE:20260703",
    )
    assert days(text) == [
        date(2025, 7, 3),
        date(2026, 4, 5),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2027, 7, 3),
    ]


def test_repetitions_end_ten_years_ahead() -> None:
    found = days(CHRISTMAS)
    assert (found[0].year, found[-1].year, len(found)) == (2025, 2035, 11)


def test_times_are_on_the_clock_of_their_zone_or_of_the_calendar() -> None:
    text = ics(
        "DTSTART;TZID=Europe/Berlin:20260327T180000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;COUNT=2",
        "DTSTART:20260401T120000\nDTEND:20260401T130000",
        head="X-WR-TIMEZONE:America/New_York",
    )
    _, closures = read(text, NOON)
    assert [(f"{each.start:%d %H}", f"{each.end:%d %H}") for each in closures] == [
        ("27 17", "27 19"),
        ("01 16", "01 17"),
        ("03 16", "03 18"),
    ]


def test_an_override_takes_the_place_of_its_repetition() -> None:
    text = ics("SUMMARY:A\nDTSTART;VALUE=DATE:20260601\nRRULE:FREQ=DAILY;COUNT=3")
    override = (
        "BEGIN:VEVENT\nUID:0\nRECURRENCE-ID;VALUE=DATE:20260602\nDTSTART;VALUE=DATE:20260610\nEND:VEVENT\n"
    )
    text = text.replace("END:VCALENDAR", override + "END:VCALENDAR")
    assert days(text) == [date(2026, 6, 1), date(2026, 6, 3), date(2026, 6, 10)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "BEGIN:VCALENDAR\nEND:VCALENDAR",
        ics("SUMMARY:no start"),
        ics("DTSTART:soon"),
        ics("DTSTART;VALUE=DATE:20260601\nDTEND;VALUE=DATE:20260501"),
        ics("DTSTART;VALUE=DATE:20260601\nRRULE:FREQ=NEVER"),
        ics("DTSTART:20260601T000000Z\nDTEND:20260601T000001Z\nRRULE:FREQ=SECONDLY"),
        ics("DTSTART;VALUE=DATE:00010101\nDTEND;VALUE=DATE:99990101"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="calendar"):
        read(text, NOON)
