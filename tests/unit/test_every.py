"""Intervals as rules."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.every import rule_of_interval
from rrcli.core.recurrence import Recurrence
from rrcli.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("15m", "FREQ=MINUTELY;INTERVAL=15"),
        ("90m", "FREQ=MINUTELY;INTERVAL=90"),
        ("1h30m", "FREQ=MINUTELY;INTERVAL=90"),
        ("1h 30m", "FREQ=MINUTELY;INTERVAL=90"),
        ("60S", "FREQ=MINUTELY"),
        ("100s", "FREQ=SECONDLY;INTERVAL=100"),
        ("1d", "FREQ=DAILY"),
        ("24h", "FREQ=HOURLY;INTERVAL=24"),
        ("7d", "FREQ=WEEKLY"),
        ("2w3d", "FREQ=DAILY;INTERVAL=17"),
    ],
)
def test_a_span_is_the_coarsest_rule_that_says_it(text: str, rule: str) -> None:
    assert rule_of_interval(text) == rule


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        ("90", "with their units", None),
        ("1.5h", "with their units", None),
        ("-5m", "with their units", None),
        ("", "with their units", None),
        ("1month", "with their units", "FREQ=MONTHLY"),
        ("2y", "with their units", "FREQ=MONTHLY"),
        ("0s", "longer than nothing", None),
        ("1d12h", "must not mix days with hours", "36h"),
        ("5m5m", "each unit once", None),
    ],
)
def test_what_is_not_exact_is_refused_with_the_reason(text: str, reason: str, hint: str | None) -> None:
    with pytest.raises(InvalidInput) as refused:
        rule_of_interval(text)
    (problem,) = refused.value.fields
    assert (problem.field, problem.value) == ("every", text)
    assert reason in problem.allowed
    assert (hint or "") in (refused.value.hint or "")


@given(hours=st.integers(0, 99), minutes=st.integers(0, 999), seconds=st.integers(0, 9999))
def test_elapsed_time_passes_between_occurrences(hours: int, minutes: int, seconds: int) -> None:
    span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not span:
        return
    rule = rule_of_interval(f"{hours}h{minutes}m{seconds}s")
    start = datetime(2027, 3, 27, 12, tzinfo=UTC)
    recurrence = Recurrence.parse(rule, timezone="Europe/Berlin", anchor=start)
    found = list(recurrence.occurrences(limit=20))
    assert found[0] == start
    assert {later - earlier for earlier, later in pairwise(found)} == {span}


def test_days_keep_the_time_of_day_when_clocks_change() -> None:
    start = datetime(2027, 3, 27, 12, tzinfo=UTC)
    recurrence = Recurrence.parse(rule_of_interval("1d"), timezone="Europe/Berlin", anchor=start)
    assert [each.hour for each in recurrence.occurrences(limit=3)] == [12, 11, 11]
