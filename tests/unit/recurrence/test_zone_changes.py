"""Daylight saving and other changes of offset: laws over every zone, and the odd cases by name."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from rrcli.core.recurrence import Recurrence

from .strategies import all_zone_names

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1024)
def transitions(name: str) -> tuple[datetime, ...]:
    """Every change of offset from 2000 to 2037, found without the engine: by looking every six hours."""
    zone = ZoneInfo(name)
    found = []
    low, before = FIRST, FIRST.astimezone(zone).utcoffset()
    while low < LAST:
        high = low + timedelta(days=3)
        after = high.astimezone(zone).utcoffset()
        if after != before:
            begin, end = low, high
            while end - begin > timedelta(seconds=1):
                middle = begin + (end - begin) // 2
                middle = middle.replace(microsecond=0)
                if middle.astimezone(zone).utcoffset() == before:
                    begin = middle
                else:
                    end = middle
            found.append(end)
        low, before = high, after
    return tuple(found)


def distinct_zones() -> list[str]:
    """One name for each different history, so that aliases do not cost time."""
    seen: dict[tuple[object, ...], str] = {}
    for name in all_zone_names():
        zone = ZoneInfo(name)
        history = tuple(
            (FIRST + timedelta(days=day)).astimezone(zone).utcoffset() for day in range(0, 13_880, 5)
        )
        seen.setdefault(history, name)
    return sorted(seen.values())


ZONES = distinct_zones()


@pytest.mark.parametrize("name", ZONES)
def test_a_daily_rule_fires_once_each_local_day_through_every_change(name: str) -> None:
    zone = ZoneInfo(name)
    recurrence = Recurrence.parse(f"DTSTART;TZID={name}:20000101T023000\nRRULE:FREQ=DAILY")
    for change in transitions(name):
        begin, end = change - timedelta(days=2), change + timedelta(days=3)
        found = recurrence.between(begin, end, 100)
        assert found == sorted(set(found))
        days = [time.astimezone(zone).date() for time in found]
        assert len(days) == len(set(days))
        for time, later in pairwise(found):
            nominal = datetime.combine(later.astimezone(zone).date(), datetime.min.time()).replace(
                hour=2, minute=30
            )
            offset = nominal.replace(tzinfo=zone).utcoffset()
            assert offset is not None
            skipped = later.astimezone(zone).date() - time.astimezone(zone).date()
            if skipped != timedelta(days=1):
                assert abs(_jump(zone, change)) >= timedelta(hours=23), "only a removed day may be left out"
                continue
            assert later == (nominal - offset).replace(tzinfo=UTC)


@pytest.mark.parametrize("name", ZONES)
def test_elapsed_rules_keep_their_step_through_every_change(name: str) -> None:
    hourly = Recurrence.parse(f"DTSTART;TZID={name}:20000101T003000\nRRULE:FREQ=HOURLY")
    quarters = Recurrence.parse(f"DTSTART;TZID={name}:20000101T000000\nRRULE:FREQ=MINUTELY;INTERVAL=15")
    for change in transitions(name):
        found = hourly.between(change - 5 * HOUR, change + 5 * HOUR, 100)
        assert {later - time for time, later in pairwise(found)} == {HOUR}
        found = quarters.between(change - 2 * HOUR, change + 2 * HOUR, 100)
        assert {later - time for time, later in pairwise(found)} == {15 * MINUTE}


@pytest.mark.parametrize("name", ZONES)
def test_filtered_elapsed_rules_match_the_wall_clock_of_every_instant(name: str) -> None:
    zone = ZoneInfo(name)
    recurrence = Recurrence.parse(
        f"DTSTART;TZID={name}:20000101T000000\nRRULE:FREQ=HOURLY;BYHOUR=0,1,2,3;BYMINUTE=0,30"
    )
    for change in transitions(name)[-6:]:
        begin = change.replace(minute=0, second=0) - 30 * HOUR
        expected = [
            time
            for time in (begin + number * 15 * MINUTE for number in range(240))
            if (local := time.astimezone(zone)).hour < 4 and local.minute in (0, 30)
        ]
        assert recurrence.between(begin, begin + 60 * HOUR, 1000) == expected


@pytest.mark.parametrize("name", ZONES)
def test_times_in_and_around_every_gap_stay_sorted_and_are_each_found_once(name: str) -> None:
    zone = ZoneInfo(name)
    recurrence = Recurrence.parse(
        f"DTSTART;TZID={name}:20000101T000000\nRRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,23;BYMINUTE=0,15,45"
    )
    for change in transitions(name)[-6:]:
        begin, end = change - timedelta(days=2), change + timedelta(days=2)
        first = begin.astimezone(zone).date() - timedelta(days=2)
        nominal = (
            datetime.combine(first + timedelta(days=day), datetime.min.time()).replace(
                hour=hour, minute=minute
            )
            for day in range(9)
            for hour in (0, 1, 2, 3, 4, 23)
            for minute in (0, 15, 45)
        )
        instants = {_instant(local, zone) for local in nominal}
        expected = sorted(time for time in instants if begin <= time < end)
        assert recurrence.between(begin, end, 1000) == expected
        for time, later in pairwise(expected):
            assert recurrence.after(time) == later
        close = [time for time in expected if abs(time - change) < 2 * HOUR]
        for time, later in pairwise(close):
            assert recurrence.before(later) == time


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    offset = zone.utcoffset(local)
    assert offset is not None
    return (local - offset).replace(tzinfo=UTC)


def _jump(zone: ZoneInfo, change: datetime) -> timedelta:
    after, before = (time.astimezone(zone).utcoffset() for time in (change, change - timedelta(seconds=1)))
    assert after is not None
    assert before is not None
    return after - before


def times(text: str, limit: int = 10) -> list[str]:
    recurrence = Recurrence.parse(text)
    zone = ZoneInfo(recurrence.timezone)
    return [time.astimezone(zone).strftime("%m-%dT%H:%M%z") for time in recurrence.occurrences(limit=limit)]


def test_a_removed_time_runs_once_by_the_offset_before_the_gap_and_stays_nominal_afterwards() -> None:
    assert times("DTSTART;TZID=America/New_York:20260307T023000\nRRULE:FREQ=DAILY;COUNT=3") == [
        "03-07T02:30-0500",
        "03-08T03:30-0400",
        "03-09T02:30-0400",
    ]


def test_a_dtstart_inside_a_gap_keeps_its_nominal_time() -> None:
    assert times("DTSTART;TZID=America/New_York:20260308T023000\nRRULE:FREQ=DAILY;COUNT=2") == [
        "03-08T03:30-0400",
        "03-09T02:30-0400",
    ]


def test_an_ambiguous_time_is_its_first_occurrence() -> None:
    assert times("DTSTART;TZID=Europe/Berlin:20261024T023000\nRRULE:FREQ=DAILY;COUNT=3") == [
        "10-24T02:30+0200",
        "10-25T02:30+0200",
        "10-26T02:30+0100",
    ]


def test_two_times_that_fall_on_one_instant_count_once() -> None:
    text = "DTSTART;TZID=America/New_York:20260308T010000\nRRULE:FREQ=DAILY;BYHOUR=1,2,3;COUNT=4"
    assert times(text) == ["03-08T01:00-0500", "03-08T03:00-0400", "03-09T01:00-0400", "03-09T02:00-0400"]


def test_every_hour_fires_through_the_repeated_hour_and_filters_match_both() -> None:
    text = "DTSTART;TZID=Europe/London:20261025T000000\nRRULE:FREQ=HOURLY;BYHOUR=1,2"
    assert times(text, 3) == ["10-25T01:00+0100", "10-25T01:00+0000", "10-25T02:00+0000"]


def test_hourly_by_24_is_not_daily() -> None:
    text = "DTSTART;TZID=America/New_York:20260307T120000\nRRULE:FREQ=HOURLY;INTERVAL=24;COUNT=2"
    assert times(text) == ["03-07T12:00-0500", "03-08T13:00-0400"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Thirty minutes: 02:00 becomes 02:30.
        (
            "DTSTART;TZID=Australia/Lord_Howe:20261003T021500\nRRULE:FREQ=DAILY;COUNT=2",
            ["10-03T02:15+1030", "10-04T02:45+1100"],
        ),
        # Samoa had no 30 December 2011: it falls on the 31st, where it counts once.
        (
            "DTSTART;TZID=Pacific/Apia:20111229T090000\nRRULE:FREQ=DAILY;COUNT=3",
            ["12-29T09:00-1000", "12-31T09:00+1400", "01-01T09:00+1400"],
        ),
        # The gap begins at midnight.
        (
            "DTSTART;TZID=America/Sao_Paulo:20181103T000000\nRRULE:FREQ=DAILY;COUNT=2",
            ["11-03T00:00-0300", "11-04T01:00-0200"],
        ),
        (
            "DTSTART;TZID=Asia/Beirut:20260328T000000\nRRULE:FREQ=DAILY;COUNT=2",
            ["03-28T00:00+0200", "03-29T01:00+0300"],
        ),
        # Casablanca goes back for Ramadan.
        (
            "DTSTART;TZID=Africa/Casablanca:20260214T023000\nRRULE:FREQ=DAILY;COUNT=3",
            ["02-14T02:30+0100", "02-15T02:30+0100", "02-16T02:30+0000"],
        ),
        # Two hours at once.
        (
            "DTSTART;TZID=Antarctica/Troll:20260328T020000\nRRULE:FREQ=DAILY;COUNT=2",
            ["03-28T02:00+0000", "03-29T04:00+0200"],
        ),
    ],
)
def test_odd_zones(text: str, expected: list[str]) -> None:
    assert times(text) == expected


def test_elapsed_hours_drift_on_the_wall_clock_where_a_zone_moves_by_half_an_hour() -> None:
    text = "DTSTART;TZID=Australia/Lord_Howe:20261003T233000\nRRULE:FREQ=HOURLY;COUNT=4"
    assert times(text) == ["10-03T23:30+1030", "10-04T00:30+1030", "10-04T01:30+1030", "10-04T03:00+1100"]


def test_a_local_until_is_read_on_the_wall_clock_and_a_date_lasts_its_whole_day() -> None:
    start = "DTSTART;TZID=America/New_York:20261030T233000\nRRULE:FREQ=DAILY;UNTIL="
    assert len(times(start + "20261101T233000")) == 3
    assert len(times(start + "20261101")) == 3
    assert len(times(start + "20261101T233000Z")) == 2


def test_a_date_removed_is_a_local_day() -> None:
    text = "DTSTART;TZID=Asia/Tokyo:20260101T010000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20260102"
    assert times(text) == ["01-01T01:00+0900", "01-03T01:00+0900"]


def test_the_first_day_of_a_zone_at_the_edges_of_the_years() -> None:
    early = Recurrence.parse("DTSTART;TZID=Pacific/Kiritimati:19700101T000000\nRRULE:FREQ=YEARLY;COUNT=1")
    assert next(early.occurrences()).astimezone(ZoneInfo("Pacific/Kiritimati")).date() == date(1970, 1, 1)
    late = Recurrence.parse("DTSTART;TZID=America/New_York:99991230T230000\nRRULE:FREQ=DAILY")
    assert len(list(late.occurrences())) == 1
    late = Recurrence.parse("DTSTART;TZID=Pacific/Kiritimati:99991230T230000\nRRULE:FREQ=HOURLY")
    assert list(late.occurrences())[-1] == datetime(9999, 12, 31, 23, tzinfo=UTC)
