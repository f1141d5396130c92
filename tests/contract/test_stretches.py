"""Reading a stretch of one schedule's ledger (base.Events.between, base.Events.covering)."""

from datetime import timedelta

import pytest

from rrcli.core.ids import occurrence_id
from rrcli.core.models import Event, EventState, Kind, Span
from rrcli.repository.base import Repository
from tests.contract.samples import NOON, after, ended, event, schedule_id

HOUR = timedelta(hours=1)


def walk(repository: Repository, limit: int) -> list[Event]:
    """The whole hour, in parts."""
    found: list[Event] = []
    start = NOON
    while part := repository.events.between(schedule_id(1), start, NOON + HOUR, limit=limit):
        found += part
        start = part[-1].run_time + timedelta(milliseconds=1)
    return found


def replayed(number: int, nonce: str) -> Event:
    run_time = after(number)
    return event(number, kind=Kind.REPLAY, id=occurrence_id(schedule_id(1), run_time, "replay", nonce))


def skips(first: int, last: int) -> Event:
    span = Span(first=after(first), last=after(last), count=last - first + 1)
    return event(first, state=EventState.SKIPPED, span=span)


def test_live_and_archived_events_come_in_one_order_whatever_the_size_of_the_parts(
    repository: Repository,
) -> None:
    made = [event(number) for number in range(1, 21)]
    repository.events.add([*made, event(5, schedule_id=schedule_id(2))])
    repository.events.archive([ended(each) for each in made if int(each.id, 16) % 2], NOON)

    whole = walk(repository, 100)
    assert [each.run_time for each in whole] == [after(number) for number in range(1, 21)]
    assert {each.state for each in whole} == {EventState.READY, EventState.COMPLETED}
    for limit in (1, 2, 7, 19, 20, 21):
        assert walk(repository, limit) == whole


def test_the_start_is_included_and_the_end_is_not(repository: Repository) -> None:
    repository.events.add([event(number) for number in (1, 2, 3)])
    found = repository.events.between(schedule_id(1), after(1), after(3), limit=10)
    assert [each.run_time for each in found] == [after(1), after(2)]
    assert repository.events.between(schedule_id(1), after(3), after(3), limit=10) == []
    assert repository.events.between(schedule_id(3), NOON, NOON + HOUR, limit=10) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
def test_events_at_one_run_time_stay_together(repository: Repository, limit: int) -> None:
    same = [event(2), *(replayed(2, str(nonce)) for nonce in range(3))]
    repository.events.add([event(1), *same, event(3)])
    repository.events.archive([ended(same[1])], NOON)

    found = walk(repository, limit)
    assert sorted(each.id for each in found[1:5]) == sorted(each.id for each in same)
    assert [each.run_time for each in found] == [after(1), *[after(2)] * 4, after(3)]
    part = repository.events.between(schedule_id(1), after(2), NOON + HOUR, limit=limit)
    assert len(part) >= 4


def test_skipped_runs_that_reach_an_instant_are_found(repository: Repository) -> None:
    repository.events.record_skips([skips(1, 10), skips(20, 30), skips(40, 40 + 5)], NOON)
    repository.events.add([event(24)])

    def covering(seconds: int) -> list[int]:
        found = repository.events.covering(schedule_id(1), after(seconds))
        return [int((each.run_time - NOON).total_seconds()) for each in found]

    assert [covering(each) for each in (1, 2, 10, 11, 20, 21, 30, 31)] == [
        [],
        [1],
        [1],
        [],
        [],
        [20],
        [20],
        [],
    ]
    assert repository.events.covering(schedule_id(2), after(5)) == []
