"""Looking back over many runs: the same answers from both backends."""

from datetime import timedelta

from msgspec.structs import replace

from rrcli.core.models import Attempt, Event, EventState, Span
from rrcli.repository.base import Repository
from tests.contract.samples import NOON, after, ended, event, schedule, schedule_id


def archive(repository: Repository, *events: Event) -> None:
    repository.events.add(events)
    repository.events.archive(events, NOON)


def tried(live: Event, state: EventState, *, duration_ms: float) -> Event:
    attempt = Attempt(time=NOON, duration_ms=duration_ms, status_code=200)
    return replace(ended(live, state), attempts=(attempt,), lateness_ms=4.5)


def test_latest_runs_of_many_schedules_come_latest_first(repository: Repository) -> None:
    repository.schedules.add([schedule(1), schedule(2), schedule(3)])
    mine = [tried(event(second), EventState.COMPLETED, duration_ms=second) for second in range(1, 6)]
    others = ended(event(9, schedule_id=schedule_id(2)), EventState.ERROR)
    archive(repository, *mine, others)

    latest = repository.outcomes.latest([schedule_id(1), schedule_id(2), schedule_id(3)], 3)

    assert list(latest) == [schedule_id(1), schedule_id(2)]
    assert [run.run_time for run in latest[schedule_id(1)]] == [after(5), after(4), after(3)]
    newest = latest[schedule_id(1)][0]
    assert (newest.event_id, newest.state) == (mine[4].id, EventState.COMPLETED)
    assert (newest.lateness_ms, newest.duration_ms) == (4.5, 5)
    assert [run.state for run in latest[schedule_id(2)]] == [EventState.ERROR]
    assert latest[schedule_id(2)][0].duration_ms is None


def test_nobody_has_latest_runs_when_nobody_is_asked_about(repository: Repository) -> None:
    assert repository.outcomes.latest([], 3) == {}


def test_tally_counts_each_stretch_by_outcome(repository: Repository) -> None:
    seconds = {
        1: EventState.COMPLETED,
        2: EventState.ERROR,
        10: EventState.COMPLETED,
        19: EventState.COMPLETED,
    }
    archive(repository, *(ended(event(second), state) for second, state in seconds.items()))
    archive(repository, ended(event(20)), ended(event(5, schedule_id=schedule_id(2))))

    counted = repository.outcomes.tally(schedule_id(1), [after(0), after(10), after(20)])

    assert counted == [
        {EventState.COMPLETED: 1, EventState.ERROR: 1},
        {EventState.COMPLETED: 2},
    ]


def test_tally_counts_a_run_of_skips_as_many(repository: Repository) -> None:
    span = Span(first=after(1), last=after(5), count=5)
    repository.events.record_skips([replace(ended(event(1), EventState.SKIPPED), span=span)], NOON)
    assert repository.outcomes.tally(schedule_id(1), [after(0), after(9)]) == [{EventState.SKIPPED: 5}]


def test_tally_of_no_stretch_is_empty(repository: Repository) -> None:
    assert repository.outcomes.tally(schedule_id(1), [after(0)]) == []
    assert repository.outcomes.tally(schedule_id(1), [after(0), after(0) + timedelta(days=1)]) == [{}]
