"""The arithmetic that finds the next hit of a step with a long cycle."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.recurrence import Recurrence
from rrcli.core.recurrence.elapsed_steps import first_multiple_within
from tests.unit.recurrence.examples import many


@many
@given(data=st.data(), modulus=st.integers(2, 300))
def test_the_first_multiple_is_the_one_that_trying_all_finds(data: st.DataObject, modulus: int) -> None:
    factor = data.draw(st.integers(0, modulus - 1))
    low = data.draw(st.integers(0, modulus - 1))
    high = data.draw(st.integers(low, modulus - 1))
    tried = next((n for n in range(modulus) if low <= n * factor % modulus <= high), None)
    assert first_multiple_within(factor, modulus, low, high) == tried


@many
@given(
    step=st.integers(30_000, 300_000),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=3),
    minutes=st.sets(st.integers(0, 59), max_size=3),
    month_days=st.sets(st.integers(1, 28), max_size=4),
)
def test_long_odd_steps_match_those_that_trying_each_one_finds(
    step: int, hours: set[int], minutes: set[int], month_days: set[int]
) -> None:
    start = datetime(2020, 1, 1, 5, 6, 7, tzinfo=UTC)
    rule = f"FREQ=SECONDLY;INTERVAL={step};BYHOUR={','.join(map(str, hours))}"
    rule += f";BYMINUTE={','.join(map(str, minutes))}" if minutes else ""
    rule += f";BYMONTHDAY={','.join(map(str, month_days))}" if month_days else ""
    tried = [
        time
        for time in (start + timedelta(seconds=step * number) for number in range(3000))
        if time.hour in hours
        and (not minutes or time.minute in minutes)
        and (not month_days or time.day in month_days)
    ]
    end = start + timedelta(seconds=step * 3000)
    assert Recurrence.parse(rule, anchor=start).between(start, end, 10_000) == tried
