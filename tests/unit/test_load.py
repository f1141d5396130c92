"""Counts per second, and what they ask for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.load import Load, percentile

START = datetime(2026, 3, 2, tzinfo=UTC)
SECONDS = st.lists(st.integers(0, 299), max_size=60)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def load_of(sharp, spread=(), seconds=300) -> Load:
    load = Load(START, seconds)
    load.add_sharp(at(each) for each in sharp)
    for each in spread:
        load.add_spread(at(each))
    return load


def test_sums_and_peaks_of_any_length():
    load = load_of([0, 61, 61, 62, 130], [61.5])
    assert load.sums(60) == [1, 4, 1, 0, 0]
    assert (load.peak(60).start, load.peak(60).events) == (at(60), 4)
    assert (load.peak(1).start, load.peak(1).events) == (at(61), 3)
    assert [events for _, events in load.minutes()] == [1, 4, 1, 0, 0]


def test_of_equal_peaks_the_first():
    assert load_of([10, 20]).peak(1).start == at(10)


def test_what_jitter_moves_beyond_the_end_is_not_counted():
    assert load_of([], [300.0, 300.5, -0.1]).total == 0


def test_several_schedules_count_as_many():
    load = Load(START, 60)
    assert load.add_sharp([at(0), at(1)], schedules=5) == 10
    assert load.total == 10


@pytest.mark.parametrize(
    ("call_seconds", "most"), [(0.2, 4), (1.0, 4), (1.5, 7), (2.0, 7), (3.0, 8), (60.0, 9)]
)
def test_calls_of_one_second_start_together_and_last_as_long_as_they_take(call_seconds, most):
    assert load_of([5] * 4 + [6] * 3 + [7] + [30]).calls_at_once(call_seconds) == most


def test_spread_calls_start_evenly():
    assert load_of([], [5 + number / 100 for number in range(100)]).calls_at_once(0.1) == 10


def test_the_last_of_a_rush_starts_when_the_others_have():
    assert load_of([5] * 100).most_late_seconds(10) == pytest.approx(10)
    assert load_of([5] * 100 + [10] * 30).most_late_seconds(20) == pytest.approx(5)
    assert load_of([5] * 100 + [7] * 50).most_late_seconds(20) == pytest.approx(5.5)


@given(SECONDS, SECONDS, st.sampled_from([1, 7, 60, 300]))
def test_every_event_is_in_one_sum(sharp, spread, size):
    load = load_of(sharp, spread)
    assert sum(load.sums(size)) == load.total == len(sharp) + len(spread)


@given(SECONDS, SECONDS, st.floats(0.1, 20), st.floats(0.1, 20))
def test_longer_calls_are_never_fewer_at_once_and_faster_workers_never_later(sharp, spread, one, other):
    load = load_of(sharp, spread)
    low, high = sorted((one, other))
    if sharp and not spread:
        assert load.calls_at_once(low) <= load.calls_at_once(high)
    assert load.most_late_seconds(high) <= load.most_late_seconds(low)


@given(SECONDS, st.integers(1, 20))
def test_calls_at_once_are_counted_as_by_looking_at_every_instant(sharp, call_seconds):
    looked = [sum(begin <= now < begin + call_seconds for begin in sharp) for now in range(300)]
    assert load_of(sharp).calls_at_once(float(call_seconds)) == max(looked)


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 2), (0.75, 3), (0.76, 4), (1, 4)])
def test_percentiles_are_values_that_occurred(share, value):
    assert percentile([4, 1, 3, 2], share) == value


def test_no_values_have_the_percentile_zero():
    assert percentile([], 0.5) == 0
