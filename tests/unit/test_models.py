"""The records refuse what would become a wrong call later."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.clock import SystemClock, from_ms, to_ms
from rrcli.core.models import Attempt, Event, EventState, Schedule, Span, Status, whole_ms

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAIVE = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - this is what must be refused
ELSEWHERE = NOON.astimezone(timezone(timedelta(hours=1)))


def schedule(**changes: Any) -> Schedule:
    fields: dict[str, Any] = {"created_at": NOON, "updated_at": NOON}
    return Schedule(id="a", name="a", rrule="", callback_url="", **fields | changes)


def event(**changes: Any) -> Event:
    fields: dict[str, Any] = {"run_time": NOON, "due": NOON, "created_at": NOON}
    status = (Status(time=NOON, status=EventState.READY, message="a"),)
    return Event(id="a", schedule_id="a", revision=1, status=status, **fields | changes)


RECORDS: list[tuple[Callable[..., object], list[str]]] = [
    (schedule, ["next_run", "created_at", "updated_at"]),
    (event, ["run_time", "due", "created_at"]),
    (lambda **at: Status(status=EventState.READY, message="a", **at), ["time"]),
    (lambda **at: Attempt(duration_ms=1.0, **at), ["time"]),
    (lambda **at: Span(**{"first": NOON, "last": NOON, "count": 1} | at), ["first", "last"]),
]


@pytest.mark.parametrize("wrong", [NAIVE, ELSEWHERE])
@pytest.mark.parametrize(("make", "name"), [(make, name) for make, names in RECORDS for name in names])
def test_naive_and_non_utc_instants_are_refused_by_name(
    make: Callable[..., object], name: str, wrong: datetime
):
    with pytest.raises(ValueError, match=rf"^{name} must be an aware UTC datetime"):
        make(**{name: wrong})


def test_a_schedule_may_have_no_next_run():
    assert schedule(next_run=None).next_run is None


def test_records_are_frozen():
    with pytest.raises(FrozenInstanceError):
        schedule().name = "b"  # type: ignore[misc]


def test_a_moved_event_keeps_its_story():
    before = event()
    after = before.moved(EventState.RETRY, NOON, "Again", due=NOON + timedelta(seconds=5))
    assert after.status == (*before.status, Status(time=NOON, status=EventState.RETRY, message="Again"))
    assert (after.state, after.due) == (EventState.RETRY, NOON + timedelta(seconds=5))
    assert before.state is EventState.READY


def test_only_the_last_five_states_are_final():
    assert [state for state in EventState if not state.final] == [
        EventState.READY,
        EventState.WORKER,
        EventState.RETRY,
    ]


@pytest.mark.parametrize(
    ("method", "body", "expected"), [(None, None, "GET"), (None, "", "POST"), ("PUT", None, "PUT")]
)
def test_effective_method(method: str | None, body: str | None, expected: str):
    assert replace(schedule(), method=method, body=body).effective_method == expected


# Milliseconds, as stored. Hypothesis wants the bounds of aware datetimes naive.

instants = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_milliseconds_survive_the_round_trip_in_every_year(milliseconds: int):
    instant = from_ms(milliseconds)
    assert to_ms(instant) == milliseconds
    assert instant.microsecond % 1000 == 0
    assert instant.utcoffset() == timedelta(0)


@given(instants)
def test_whole_ms_moves_by_at_most_half_a_millisecond_and_only_once(instant: datetime):
    once = whole_ms(instant)
    assert abs(once - instant) <= timedelta(microseconds=500)
    assert whole_ms(once) == once


def test_the_system_clock_gives_utc_and_never_goes_back():
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()
