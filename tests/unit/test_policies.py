"""Late occurrences are fired or skipped; midnight is spread."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.models import Misfire, MisfirePolicy, Schedule
from rrcli.core.policies import Sorted, jitter, sort_by_misfire, span_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASE = Schedule(
    id="0" * 24, name="a", rrule="", callback_url="http://localhost/", created_at=NOW, updated_at=NOW
)

instants = st.lists(st.integers(-200_000, 2_000), unique=True, max_size=40).map(
    lambda offsets: [NOW + timedelta(seconds=each) for each in sorted(offsets)]
)
misfires = st.builds(
    Misfire,
    policy=st.sampled_from(MisfirePolicy),
    grace_seconds=st.sampled_from([0.0, 1.0, 60.0, 86_400.0]),
    window_seconds=st.sampled_from([0.0, 30.0, 3600.0, 86_400.0, 31_622_400.0]),
)
jitters = st.sampled_from([0.0, 0.5, 90.0, 3600.0])


def divide(occurrences: list[datetime], misfire: Misfire, jitter_seconds: float = 0.0) -> Sorted:
    schedule = replace(BASE, misfire=misfire, jitter_seconds=jitter_seconds)
    due = [each for each in occurrences if each <= NOW]
    return sort_by_misfire(schedule, occurrences, now=NOW, latest_due=due[-1] if due else None)


def due(occurrence: datetime, jitter_seconds: float) -> datetime:
    return occurrence + jitter(BASE.id, occurrence, jitter_seconds)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@given(instants, misfires, jitters)
def test_every_occurrence_fires_or_is_skipped_and_none_does_both(
    occurrences: list[datetime], misfire: Misfire, jitter_seconds: float
):
    division = divide(occurrences, misfire, jitter_seconds)
    skipped = [
        each
        for each in occurrences
        if any(run.first <= each <= run.last for run in division.skipped) and each not in division.fire
    ]
    assert sorted([*division.fire, *skipped]) == occurrences
    assert sum(run.count for run in division.skipped) == len(skipped)


@given(instants, misfires, jitters)
def test_what_fires_and_what_is_skipped_keep_their_order(
    occurrences: list[datetime], misfire: Misfire, jitter_seconds: float
):
    division = divide(occurrences, misfire, jitter_seconds)
    assert list(division.fire) == sorted(division.fire)
    ends = [end for run in division.skipped for end in (run.first, run.last)]
    assert ends == sorted(ends)
    for run in division.skipped:
        assert not [each for each in division.fire if run.first <= each <= run.last]


@given(instants, misfires, jitters)
def test_nothing_that_is_not_due_yet_is_skipped(
    occurrences: list[datetime], misfire: Misfire, jitter_seconds: float
):
    division = divide(occurrences, misfire, jitter_seconds)
    assert {each for each in occurrences if due(each, jitter_seconds) >= NOW} <= set(division.fire)


@given(instants, misfires, jitters)
def test_nothing_due_before_the_window_ever_fires(
    occurrences: list[datetime], misfire: Misfire, jitter_seconds: float
):
    for each in divide(occurrences, misfire, jitter_seconds).fire:
        assert due(each, jitter_seconds) >= ago(misfire.window_seconds)


@given(instants, misfires)
def test_latest_fires_at_most_one_late_occurrence_and_that_is_the_newest_due_one(
    occurrences: list[datetime], misfire: Misfire
):
    division = divide(occurrences, replace(misfire, policy=MisfirePolicy.LATEST))
    late = [each for each in division.fire if each < ago(misfire.grace_seconds)]
    assert late in ([], [each for each in occurrences if each <= NOW][-1:])


@given(instants, misfires)
def test_skip_fires_nothing_late_and_all_fires_everything_inside_the_window(
    occurrences: list[datetime], misfire: Misfire
):
    on_time = [each for each in occurrences if each >= ago(misfire.grace_seconds)]
    inside = [each for each in occurrences if each >= ago(misfire.window_seconds)]
    skip = divide(occurrences, replace(misfire, policy=MisfirePolicy.SKIP)).fire
    every = divide(occurrences, replace(misfire, policy=MisfirePolicy.ALL)).fire
    assert list(skip) == [each for each in on_time if each in inside]
    assert list(every) == inside


@pytest.mark.parametrize(("late", "fires"), [(59.999, True), (60, True), (60.001, False)])
def test_the_grace_is_inclusive(late: float, fires: bool):
    division = divide([ago(late)], Misfire(policy=MisfirePolicy.SKIP))
    assert bool(division.fire) is fires


def test_latest_stands_for_older_ones_even_when_it_is_not_among_them():
    schedule = replace(BASE, misfire=Misfire())
    division = sort_by_misfire(schedule, [ago(7200), ago(3600)], now=NOW, latest_due=ago(1800))
    assert division == Sorted(fire=(), skipped=(span_of([ago(7200), ago(3600)]),))


def test_a_late_start_caused_by_jitter_alone_is_on_time():
    run_time = ago(1000)
    assert due(run_time, 86_400) > NOW
    assert divide([run_time], Misfire(policy=MisfirePolicy.SKIP), 86_400).fire == (run_time,)


def test_no_occurrences_give_nothing():
    assert divide([], Misfire()) == Sorted(fire=(), skipped=())


def test_a_span_of_one_has_the_same_ends():
    span = span_of(iter([NOW]))
    assert (span.first, span.last, span.count) == (NOW, NOW, 1)


@given(
    st.text("0123456789abcdef", min_size=24, max_size=24),
    st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants naive bounds
    st.floats(0, 86_400),
)
def test_jitter_is_below_its_bound_and_always_the_same(identifier: str, run_time: datetime, bound: float):
    delay = jitter(identifier, run_time, bound)
    assert timedelta(0) <= delay < timedelta(seconds=bound) or delay == timedelta(0)
    assert delay == jitter(identifier, run_time, bound)
    assert not delay.microseconds % 1000


def test_jitter_stays_below_its_bound_for_the_largest_hash(monkeypatch: pytest.MonkeyPatch):
    class Largest:
        def __init__(self, *_: object, **__: object) -> None: ...

        def digest(self) -> bytes:
            return b"\xff" * 8

    monkeypatch.setattr("rrcli.core.policies.blake2b", Largest)
    assert jitter("a", NOW, 60.0) == timedelta(seconds=59.999)


def test_jitter_spreads_a_fleet_evenly():
    delays = sorted(jitter(f"{number:024x}", NOW, 60.0).total_seconds() for number in range(6000))
    for minute_part in range(6):
        inside = [each for each in delays if minute_part * 10 <= each < minute_part * 10 + 10]
        assert 850 < len(inside) < 1150


def test_jitter_differs_between_occurrences():
    delays = {jitter(BASE.id, NOW + timedelta(days=day), 3600.0) for day in range(100)}
    assert len(delays) > 95


@pytest.mark.parametrize("bound", [0, -1, 0.0005])
def test_no_jitter_without_a_bound(bound: float):
    assert jitter(BASE.id, NOW, bound) == timedelta(0)
