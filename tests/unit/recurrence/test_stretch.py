"""A stretch and what follows it: the same as asking for both."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.recurrence import Recurrence

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
RULES = (
    "FREQ=SECONDLY;COUNT=700",
    "FREQ=MINUTELY;INTERVAL=7",
    "FREQ=HOURLY;BYMINUTE=0,30",
    "FREQ=DAILY;UNTIL=20260401T000000Z",
    "FREQ=DAILY\nEXDATE:20260302T090000Z,20260303T090000Z,20260304T090000Z",
    "FREQ=WEEKLY\nRDATE:20260301T090001Z,20260310T000000Z",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=MONTHLY;BYDAY=1MO;COUNT=2",
)


@given(
    rule=st.sampled_from(RULES),
    begin=st.timedeltas(timedelta(days=-2), timedelta(days=40)),
    length=st.timedeltas(timedelta(0), timedelta(days=3)),
    limit=st.integers(1, 600),
)
def test_a_stretch_is_what_lies_between_and_what_comes_after(
    rule: str, begin: timedelta, length: timedelta, limit: int
) -> None:
    recurrence = Recurrence.parse(f"DTSTART:{START:%Y%m%dT%H%M%SZ}\nRRULE:{rule}")
    begin_at = START + begin
    end = begin_at + length
    between = recurrence.between(begin_at, end, limit)
    following = recurrence.after(between[-1]) if between else recurrence.after(begin_at, inclusive=True)
    assert recurrence.stretch(begin_at, end, limit) == (between, following)


@pytest.mark.parametrize("limit", [1, 2, 3, 17, 18, 19, 20, 531, 2000])
def test_a_stretch_ends_at_its_limit(limit: int) -> None:
    recurrence = Recurrence.parse(f"DTSTART:{START:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=SECONDLY")
    found, following = recurrence.stretch(START, START + timedelta(days=1), limit)
    assert found == [START + timedelta(seconds=number) for number in range(limit)]
    assert following == START + timedelta(seconds=limit)
