"""The capacity model: bounds, and what follows from them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.capacity import Figures, Fleet, Hardware, Size, Stage, need
from rrcli.core.capacity_figures import MEASURED


def stage(busy_us, cpu_us=10.0, mongod=20.0, redis=5.0):
    return Stage(
        busy_us=busy_us,
        process_cpu_us=cpu_us,
        mongod_cpu_us=mongod,
        redis_cpu_us=redis,
        mongo_round_trips_per_1000=2,
        redis_round_trips_per_1000=2,
    )


def size(each):
    return Size(
        mongo_data_bytes=each,
        mongo_disk_bytes=each / 2,
        mongo_index_bytes=10,
        redis_bytes=20,
        sqlite_bytes=30,
    )


FIGURES = Figures(
    measured="",
    prequeue=stage(100.0),
    dispatch=stage(50.0),
    work=stage(200.0),
    receiver_cpu_us=5.0,
    schedule=size(400.0),
    queued_event=size(200.0),
    finished_event=size(300.0),
)
COUNTS = ("workers", "dispatchers", "prequeuers", "shards", "redis_masters", "mongo_disk_gib", "mongo_cores")
PEAK = Fleet(schedules=864_000, events_per_schedule_and_day=10, peak=50, attempts=1.0)


def test_the_lowest_bound_decides():
    assert FIGURES.flow_per_second(cores=64) == pytest.approx(5000, rel=0.06)  # the worker's busy time
    dear = replace(FIGURES, receiver_cpu_us=2000.0)
    assert dear.flow_per_second(cores=1) == pytest.approx(1e6 / 2105, rel=0.01)  # all CPU together
    assert dear.drain_per_second(cores=2) == pytest.approx(2e6 / 2035, rel=0.01)


@given(st.floats(1, 1000), st.floats(0, 5000), st.integers(1, 64))
def test_no_rate_is_above_any_bound_and_two_equal_ones_cost_a_fifth(busy_us, receiver_us, cores):
    figures = replace(FIGURES, work=stage(busy_us), receiver_cpu_us=receiver_us)
    bounds = (1e6 / busy_us, cores * 1e6 / (35 + receiver_us))
    assert 0.79 * min(bounds) <= figures.drain_per_second(cores) <= min(bounds)


def test_processes_are_busy_for_no_more_than_their_share():
    assert PEAK.peak_per_second == 5000
    found = need(PEAK, FIGURES, Hardware(headroom=0.5))
    assert (found.workers, found.dispatchers, found.prequeuers) == (2, 1, 1)
    found = need(PEAK, FIGURES, Hardware(headroom=0.1))
    assert (found.workers, found.dispatchers, found.prequeuers) == (10, 3, 5)
    assert found.mongo_cores == pytest.approx(5000 * 60e-6 / 0.1)


def test_bytes_are_counted_once_each():
    fleet = replace(PEAK, peak=1, history_days=1, window_minutes=0)
    found = need(fleet, FIGURES, Hardware())
    disk = 864_000 * 210 + 8_640_000 * 160
    assert found.mongo_disk_gib * 2**30 == pytest.approx(disk)


@given(st.integers(1, 10**8), st.floats(0.01, 100), st.integers(2, 10))
def test_more_schedules_never_need_less(schedules, per_day, times):
    fleet = Fleet(schedules=schedules, events_per_schedule_and_day=per_day)
    less, more = (
        need(each, MEASURED, Hardware()) for each in (fleet, replace(fleet, schedules=schedules * times))
    )
    for name in COUNTS:
        assert getattr(more, name) >= getattr(less, name)
