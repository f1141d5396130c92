"""Asking for occurrences: sets, bounds, counts, remarks and words."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.recurrence import Recurrence
from tests.unit.recurrence.examples import many

from .strategies import ZONES, moments, rule_texts

DAY = timedelta(days=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@many
@given(
    rule=rule_texts(),
    zone=st.sampled_from(ZONES),
    start=moments(2000, 2030),
    spans=st.tuples(st.integers(0, 10**8), st.integers(0, 10**6), st.integers(0, 10**6)),
)
def test_windows_join_and_after_and_before_agree_with_them(
    rule: str, zone: str, start: datetime, spans: tuple[int, int, int]
) -> None:
    recurrence = Recurrence.parse(rule, timezone=zone, anchor=start)
    a = start - DAY + timedelta(seconds=spans[0])
    b = a + timedelta(seconds=spans[1])
    c = b + timedelta(seconds=spans[2])
    whole = recurrence.between(a, c, 500)
    assert whole == sorted(set(whole))
    assert all(a <= time < c for time in whole)
    joined = recurrence.between(a, b, 500) + recurrence.between(b, c, 500)
    assert joined[:500] == whole
    if whole:
        assert recurrence.after(a, inclusive=True) == whole[0]
        assert recurrence.before(whole[-1], inclusive=True) == whole[-1]
    for time, later in islice(pairwise(whole), 3):
        assert recurrence.after(time) == later
        assert recurrence.before(later) == time


def test_rules_and_dates_are_joined_and_removed() -> None:
    recurrence = Recurrence.parse(
        "DTSTART:20260101T090000Z\n"
        "RRULE:FREQ=DAILY;COUNT=3\n"
        "RRULE:FREQ=DAILY;INTERVAL=2;COUNT=3\n"
        "RDATE:20260102T120000Z,20260101T090000Z\n"
        "EXDATE:20260102T090000Z\n"
        "EXRULE:FREQ=DAILY;INTERVAL=4;COUNT=2"
    )
    assert list(recurrence.occurrences()) == [utc(2026, 1, 2, 12), utc(2026, 1, 3, 9)]


def test_count_counts_what_the_rule_yields_before_anything_is_removed() -> None:
    recurrence = Recurrence.parse(
        "DTSTART:20260101T090000Z\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260102T090000Z"
    )
    assert list(recurrence.occurrences()) == [utc(2026, 1, 1, 9), utc(2026, 1, 3, 9)]
    assert recurrence.after(utc(2026, 1, 3, 9)) is None


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1000, 100_000])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=HOURLY;BYHOUR=1,2,3"])
def test_count_ends_at_the_same_instant_however_it_is_asked_for(rule: str, zone: str, count: int) -> None:
    anchor = utc(2015, 6, 1, 2)
    endless = Recurrence.parse(rule, timezone=zone, anchor=anchor)
    counted = Recurrence.parse(f"{rule};COUNT={count}", timezone=zone, anchor=anchor)
    last = next(islice(endless.occurrences(), count - 1, None))
    assert counted.before(utc(9999, 1, 1)) == last
    assert counted.after(last, inclusive=True) == last
    assert counted.after(last) is None
    assert Recurrence.parse(counted.text).after(last - timedelta(seconds=1)) == last
    assert sum(1 for _ in counted.occurrences()) == count


def test_limits_are_kept_and_iteration_is_lazy() -> None:
    recurrence = Recurrence.parse("DTSTART:20260101T000000Z\nRRULE:FREQ=SECONDLY")
    assert len(recurrence.between(utc(2026, 1, 1), utc(2027, 1, 1), 7)) == 7
    assert recurrence.between(utc(2026, 1, 1), utc(2027, 1, 1), 0) == []
    assert next(recurrence.occurrences(after=utc(9000, 1, 1))) == utc(9000, 1, 1)


def test_fractions_of_a_second_and_other_zones_are_understood() -> None:
    recurrence = Recurrence.parse("DTSTART:20260101T000000Z\nRRULE:FREQ=SECONDLY;INTERVAL=10")
    just_after = utc(2026, 1, 1) + timedelta(microseconds=1)
    assert recurrence.after(just_after, inclusive=True) == utc(2026, 1, 1, 0, 0, 10)
    assert recurrence.before(just_after) == utc(2026, 1, 1)
    with pytest.raises(ValueError, match="naive"):
        recurrence.after(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_week_of_new_year_belongs_to_the_year_that_holds_most_of_it() -> None:
    recurrence = Recurrence.parse("DTSTART:20200101T000000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SU")
    assert list(recurrence.occurrences(limit=3)) == [utc(2021, 1, 3), utc(2022, 1, 2), utc(2023, 1, 1)]


def test_numbered_and_plain_weekdays_may_be_mixed() -> None:
    recurrence = Recurrence.parse("DTSTART:20260101T000000Z\nRRULE:FREQ=MONTHLY;BYDAY=3MO,FR")
    assert [time.day for time in recurrence.occurrences(limit=6)] == [2, 9, 16, 19, 23, 30]


def test_a_position_counts_in_the_whole_week_even_where_dtstart_lies_in_it() -> None:
    recurrence = Recurrence.parse("DTSTART:20260107T000000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO,TH,FR;BYSETPOS=2")
    assert [time.day for time in recurrence.occurrences(limit=2)] == [8, 15]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never-occurs"),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20250101T000000Z", "never-occurs"),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;BYHOUR=3", "dtstart-not-an-occurrence"),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20270101", "until-type"),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY;INTERVAL=2", "exrule-deprecated"),
        ("DTSTART:20260131T000000Z\nRRULE:FREQ=MONTHLY", "short-months"),
        ("DTSTART:20240229T000000Z\nRRULE:FREQ=YEARLY", "leap-day"),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=YEARLY;BYMONTHDAY=1", "every-month"),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO", "week-53"),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=MINUTELY;BYSECOND=0,60", "leap-second"),
        ("DTSTART;TZID=Europe/Berlin:20260101T000000\nRRULE:FREQ=HOURLY;INTERVAL=24", "hours-are-not-days"),
        ("DTSTART;TZID=Europe/Berlin:20260101T023000\nRRULE:FREQ=DAILY", "removed-time"),
        ("DTSTART;TZID=Europe/Berlin:20260101T023000\nRRULE:FREQ=DAILY", "repeated-time"),
    ],
)
def test_remarks(text: str, code: str) -> None:
    lints = Recurrence.parse(text).lint()
    assert code in {lint.code for lint in lints}
    assert all(lint.sentence.endswith(".") for lint in lints)


def test_a_rule_without_surprises_has_no_remarks() -> None:
    text = "DTSTART;TZID=Europe/Berlin:20260105T090000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    assert Recurrence.parse(text).lint() == ()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day at 18:30, New York time"),
        (
            "FREQ=MONTHLY;BYDAY=2MO;UNTIL=20270110",
            "on the second Monday of every month at 18:30, New York time, until 10 January 2027",
        ),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2", "on the second Monday of every month at 18:30, New York time"),
        (
            "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=3",
            "every weekday (Monday to Friday) at 18:30, New York time, 3 times",
        ),
        (
            "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25;BYHOUR=8,20;BYMINUTE=0",
            "every year on 25 December at 08:00 and 20:00, New York time",
        ),
        ("FREQ=HOURLY;INTERVAL=3", "every 3 hours, counted from DTSTART, New York time"),
        (
            "FREQ=MINUTELY;INTERVAL=15;BYHOUR=9,10,11;BYDAY=MO",
            "every 15 minutes, from 09:00 to 11:59, on Monday, New York time",
        ),
    ],
)
def test_descriptions(rule: str, words: str) -> None:
    anchor = utc(2026, 1, 12, 23, 30)
    assert Recurrence.parse(rule, timezone="America/New_York", anchor=anchor).describe() == words
