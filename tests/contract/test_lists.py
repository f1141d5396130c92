"""Lists that are read in parts (base.EventLists, Schedules.following): each item once, in order, filtered."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rrcli.core.ids import occurrence_id
from rrcli.core.models import Event, EventState, ScheduleState
from rrcli.operations.context import Context
from rrcli.operations.lists import START, Part, events_after, schedules_after
from rrcli.repository.base import EventQuery, Repository
from tests.contract.samples import NOON, after, ended, event, schedule, schedule_id

STATES = [EventState.COMPLETED, EventState.ERROR, EventState.SKIPPED]


def whole(read: Callable[[str], Part[Any]]) -> list[Any]:
    """All parts, one after the other."""
    part = read(START)
    found = list(part.items)
    while part.next is not None:
        part = read(part.next)
        assert part.items
        found += part.items
    return found


def filled(repository: Repository) -> list[Event]:
    """Events of two schedules, several at one instant, finished in several states."""
    made = []
    for number in range(24):
        owner, run_time = schedule_id(1 + number % 2), after(number // 4)
        id_ = occurrence_id(owner, run_time, "scheduled", str(number))
        made.append(event(number // 4, id=id_, schedule_id=owner, run_time=run_time, due=run_time))
    repository.events.add(made)
    return made


def archived(repository: Repository, made: Sequence[Event]) -> list[Event]:
    done = [ended(each, STATES[number % 3]) for number, each in enumerate(made)]
    repository.events.archive(done, NOON)
    return done


@pytest.mark.parametrize("limit", [1, 5, 24, 100])
@pytest.mark.parametrize("owner", [None, schedule_id(1)])
@pytest.mark.parametrize("history", [False, True])
def test_all_parts_together_are_the_list(
    context: Context, repository: Repository, limit: int, owner: str | None, history: bool
) -> None:
    made = filled(repository)
    if history:
        made = archived(repository, made)
    query = EventQuery(schedule_id=owner)
    found = whole(lambda cursor: events_after(context, cursor, query, history=history, limit=limit))
    expected = [each for each in made if owner in (None, each.schedule_id)]
    assert sorted(found, key=lambda each: each.id) == sorted(expected, key=lambda each: each.id)
    times = [each.run_time for each in found]
    assert times == sorted(times, reverse=history)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    owner=st.sampled_from([None, schedule_id(1), schedule_id(9)]),
    state=st.sampled_from([None, *STATES, EventState.CANCELLED]),
    start=st.sampled_from([None, 0, 2, 3.5, 99]),
    end=st.sampled_from([None, 0, 2, 4.25, 99]),
    limit=st.integers(1, 7),
)
def test_filters_are_those_of_a_plain_list(
    context: Context,
    owner: str | None,
    state: EventState | None,
    start: float | None,
    end: float | None,
    limit: int,
) -> None:
    repository = context.repository
    known = repository.events.history(None, limit=100)
    done = list(known.items) if known.total else archived(repository, filled(repository))
    query = EventQuery(
        schedule_id=owner,
        state=state,
        start=None if start is None else after(start),
        end=None if end is None else after(end),
    )
    found = whole(lambda cursor: events_after(context, cursor, query, history=True, limit=limit))
    assert sorted(each.id for each in found) == sorted(
        each.id
        for each in done
        if owner in (None, each.schedule_id)
        and state in (None, each.state)
        and (query.start is None or each.run_time >= query.start)
        and (query.end is None or each.run_time < query.end)
    )


@pytest.mark.parametrize("owner", [None, schedule_id(1)])
def test_waiting_events_by_state_and_range(
    context: Context, repository: Repository, owner: str | None
) -> None:
    made = [event(number) for number in range(6)]
    repository.events.add(made)
    repository.events.dispatched([each.id for each in made[:4]], NOON, due_by=after(9))
    query = EventQuery(schedule_id=owner, state=EventState.WORKER, start=after(1), end=after(3))
    found = whole(lambda cursor: events_after(context, cursor, query, history=False, limit=1))
    assert [each.id for each in found] == [made[1].id, made[2].id]


@pytest.mark.parametrize("owner", [None, schedule_id(1)])
def test_what_enters_while_a_list_is_read_moves_nothing(
    context: Context, repository: Repository, owner: str | None
) -> None:
    archived(repository, [event(number) for number in range(0, 40, 2)])
    query = EventQuery(schedule_id=owner)
    seen = []
    cursor: str | None = START
    number = 100
    while cursor is not None:
        part = events_after(context, cursor, query, history=True, limit=3)
        seen += [each.id for each in part.items]
        cursor, number = part.next, number + 1
        archived(repository, [event(number)])  # newer than all: it would push a page along
    assert seen == [event(each).id for each in range(38, -1, -2)]


@pytest.mark.parametrize("limit", [1, 4, 50])
@pytest.mark.parametrize("tag", [None, "even"])
@pytest.mark.parametrize("state", [None, ScheduleState.ACTIVE, ScheduleState.PAUSED])
@pytest.mark.parametrize("name", [None, "DULE 1"])
def test_schedules_in_parts(
    context: Context,
    repository: Repository,
    limit: int,
    tag: str | None,
    state: ScheduleState | None,
    name: str | None,
) -> None:
    made = [
        schedule(
            number,
            tags=("even", "x") if number % 2 == 0 else ("odd",),
            state=ScheduleState.PAUSED if number % 3 == 0 else ScheduleState.ACTIVE,
        )
        for number in range(15)
    ]
    repository.schedules.add(made)
    found = whole(
        lambda cursor: schedules_after(context, cursor, state=state, name=name, tag=tag, limit=limit)
    )
    assert found == list(repository.schedules.find(state=state, name=name, tag=tag, limit=100).items)


def test_a_tag_is_found_as_it_is_now(context: Context, repository: Repository) -> None:
    repository.schedules.add([schedule(1, tags=("a",)), schedule(2, tags=("a", "b"))])
    repository.schedules.replace(schedule(1, tags=("b",), revision=2), expected_revision=1)
    repository.schedules.remove(schedule_id(2))
    found = {
        tag: [each.id for each in schedules_after(context, START, tag=tag, limit=9).items] for tag in "ab"
    }
    assert found == {"a": [], "b": [schedule_id(1)]}
    repository.schedules.replace(schedule(1, revision=3), expected_revision=2)
    assert schedules_after(context, START, tag="b", limit=9).items == []


def test_events_before_the_epoch_have_their_place(context: Context, repository: Repository) -> None:
    old = replace(event(1), run_time=NOON - timedelta(days=365 * 60), due=NOON)
    repository.events.add([old, event(2)])
    query = EventQuery(schedule_id=schedule_id(1))
    found = whole(lambda cursor: events_after(context, cursor, query, history=False, limit=1))
    assert [each.id for each in found] == [old.id, event(2).id]
