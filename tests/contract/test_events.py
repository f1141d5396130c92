"""What every backend keeps about events, live and archived (base.Events)."""

import pytest
from msgspec.structs import replace

from rrcli.core.models import Attempt, Event, EventState, Kind, Span
from rrcli.repository import mongo_redis_events, sqlite_events
from rrcli.repository.base import TOTAL_LIMIT, Repository, Standing
from tests.contract.samples import NOON, after, ended, event, schedule_id

READY, RETRY, WORKER = EventState.READY, EventState.RETRY, EventState.WORKER


def ids(events: object) -> list[str]:
    assert isinstance(events, list | tuple)
    return [each.id for each in events]


def skips(first: int, count: int, message: str = "Too late.") -> Event:
    """One entry for `count` skipped occurrences from `first` on."""
    span = Span(first=after(first), last=after(first + count - 1), count=count)
    return replace(event(first, state=EventState.SKIPPED), span=span).moved(EventState.SKIPPED, NOON, message)


def test_add_returns_the_new_events(repository: Repository) -> None:
    added = repository.events.add([event(1), event(2)])

    assert sorted(ids(added)) == ids([event(1), event(2)])
    assert repository.events.get(ids(added)) == {each.id: each for each in (event(1), event(2))}


def test_add_of_nothing_is_nothing(repository: Repository) -> None:
    assert repository.events.add([]) == []


def test_one_id_twice_in_a_batch_is_entered_once(repository: Repository) -> None:
    assert repository.events.add([event(1), event(1)]) == [event(1)]
    assert repository.events.counts() == {READY: 1}


@pytest.mark.parametrize("state", [READY, RETRY])
def test_adding_again_returns_what_waits_to_be_queued_as_stored(
    repository: Repository, state: EventState
) -> None:
    first = event(1, state=state, due=after(77))
    repository.events.add([first])

    again = repository.events.add([event(1, due=after(5)), event(2)])

    assert {each.id: each for each in again} == {first.id: first, event(2).id: event(2)}
    assert repository.events.find(first.id) == first


def test_adding_again_leaves_what_the_workers_have(repository: Repository) -> None:
    repository.events.add([event(1)])
    repository.events.dispatched([event(1).id], NOON, due_by=after(9))

    assert repository.events.add([event(1)]) == []


@pytest.mark.parametrize("state", [EventState.COMPLETED, EventState.ERROR, EventState.CANCELLED])
def test_what_the_archive_has_is_not_entered_again(repository: Repository, state: EventState) -> None:
    repository.events.add([event(1)])
    repository.events.archive([ended(event(1), state)], NOON)

    assert repository.events.add([event(1)]) == []
    assert repository.events.get([event(1).id]) == {}
    assert repository.events.find(event(1).id) == ended(event(1), state)


def test_a_superseded_occurrence_is_on_again_when_it_is_added_again(repository: Repository) -> None:
    repository.events.add([event(1)])
    repository.events.archive([ended(event(1), EventState.SUPERSEDED)], NOON)

    assert repository.events.add([event(1, revision=2)]) == [event(1, revision=2)]
    assert repository.events.find(event(1).id) == event(1, revision=2)
    assert repository.events.archived([event(1).id]) == set()


def test_get_returns_only_live_events(repository: Repository) -> None:
    repository.events.add([event(1), event(2)])
    repository.events.archive([ended(event(1))], NOON)

    assert repository.events.get(ids([event(1), event(2), event(3)])) == {event(2).id: event(2)}
    assert repository.events.get([]) == {}


def test_find_looks_among_live_and_archived(repository: Repository) -> None:
    repository.events.add([event(1), event(2)])
    repository.events.archive([ended(event(1))], NOON)

    assert repository.events.find(event(1).id) == ended(event(1))
    assert repository.events.find(event(2).id) == event(2)
    assert repository.events.find(event(3).id) is None


def test_resolve_looks_for_a_prefix_among_live_and_archived(repository: Repository) -> None:
    repository.events.add([event(number) for number in range(5)])
    repository.events.archive([ended(event(0)), ended(event(1))], NOON)

    prefix = event(0).id[:6]
    assert set(ids(repository.events.resolve(prefix, limit=9))) == {event(n).id for n in range(5)}
    assert len(repository.events.resolve(prefix)) == 3
    assert repository.events.resolve(event(0).id[:12]) == [ended(event(0))]
    assert repository.events.resolve(event(4).id) == [event(4)]
    assert repository.events.resolve("zz") == []
    assert repository.events.resolve(".*") == []


def test_pending_pages_live_events_by_run_time(repository: Repository) -> None:
    other = event(2, schedule_id=schedule_id(9))
    repository.events.add([event(3), event(1), other])

    everything = repository.events.pending(None, limit=2)
    rest = repository.events.pending(None, limit=2, offset=2)
    own = repository.events.pending(schedule_id(1), limit=9)

    assert (ids(everything.items), everything.total) == (ids([event(1), other]), 3)
    assert (ids(rest.items), rest.total) == ([event(3).id], 3)
    assert (ids(own.items), own.total) == (ids([event(1), event(3)]), 2)


def test_history_pages_archived_events_newest_run_time_first(repository: Repository) -> None:
    other = event(2, schedule_id=schedule_id(9))
    repository.events.add([event(1), other, event(3), event(4)])
    repository.events.archive([ended(event(1)), ended(other), ended(event(3))], NOON)

    everything = repository.events.history(None, limit=2)
    rest = repository.events.history(None, limit=2, offset=2)
    own = repository.events.history(schedule_id(1), limit=9)

    assert (ids(everything.items), everything.total) == (ids([event(3), other]), 3)
    assert (ids(rest.items), rest.total) == ([event(1).id], 3)
    assert (list(own.items), own.total) == ([ended(event(3)), ended(event(1))], 2)


@pytest.mark.parametrize("whose", [None, schedule_id(1)])
def test_a_long_list_is_counted_so_far_that_a_page_costs_the_same(
    repository: Repository, whose: str | None
) -> None:
    there = [event(number) for number in range(TOTAL_LIMIT)]
    repository.events.add(there)
    pending, history = repository.events.pending, repository.events.history
    assert (pending(whose, limit=1).total, pending(whose, limit=1).exact) == (TOTAL_LIMIT, True)

    repository.events.archive([ended(each) for each in there], NOON)
    one_more = [event(TOTAL_LIMIT + number) for number in range(2)]
    repository.events.archive([ended(each) for each in one_more], NOON)

    first, deep = history(whose, limit=5), history(whose, limit=5, offset=TOTAL_LIMIT - 5)
    assert (first.total, first.exact) == (TOTAL_LIMIT, False)
    assert (deep.total, deep.exact) == (TOTAL_LIMIT + 1, False)
    last = history(whose, limit=5, offset=TOTAL_LIMIT)
    assert (len(last.items), last.total, last.exact) == (2, TOTAL_LIMIT + 2, True)


def test_dispatched_adds_the_status_with_its_time_and_a_reason(repository: Repository) -> None:
    repository.events.add([event(1), event(2, state=RETRY)])

    repository.events.dispatched(ids([event(1), event(2), event(3)]), after(9), due_by=after(9))

    for before in (event(1), event(2, state=RETRY)):
        stored = repository.events.find(before.id)
        assert stored is not None
        assert stored.status[:-1] == before.status
        assert (stored.state, stored.status[-1].time) == (WORKER, after(9))
        assert stored.status[-1].message
    assert repository.events.find(event(3).id) is None


def test_dispatched_twice_is_noted_once(repository: Repository) -> None:
    repository.events.add([event(1)])

    repository.events.dispatched([event(1).id], after(9), due_by=after(9))
    repository.events.dispatched([event(1).id], after(10), due_by=after(9))
    repository.events.dispatched([], after(11), due_by=after(9))

    stored = repository.events.find(event(1).id)
    assert stored is not None
    assert [step.status for step in stored.status] == [READY, WORKER]


def test_dispatched_that_comes_late_leaves_a_retry_of_a_later_time_alone(repository: Repository) -> None:
    later = replace(event(1), due=after(300)).moved(RETRY, after(1), "It will be called again.")
    repository.events.add([event(1), event(2)])
    repository.events.save([later])

    repository.events.dispatched(ids([later, event(2)]), after(3), due_by=after(2))

    assert repository.events.counts() == {RETRY: 1, WORKER: 1}
    assert repository.events.find(later.id) == later


def test_dispatched_leaves_archived_events_alone(repository: Repository) -> None:
    repository.events.add([event(1)])
    repository.events.archive([ended(event(1))], NOON)

    repository.events.dispatched([event(1).id], after(9), due_by=after(9))

    assert repository.events.find(event(1).id) == ended(event(1))


def test_save_overwrites_live_events_and_no_others(repository: Repository) -> None:
    repository.events.add([event(1), event(2)])
    repository.events.archive([ended(event(2))], NOON)
    retried = replace(event(1).moved(RETRY, after(3), "It will be called again."), due=after(60))

    repository.events.save([retried, replace(event(2), due=after(60)), event(3)])
    repository.events.save([])

    assert repository.events.find(event(1).id) == retried
    assert repository.events.find(event(2).id) == ended(event(2))
    assert repository.events.find(event(3).id) is None
    assert repository.events.counts() == {RETRY: 1}


@pytest.mark.parametrize("stored", range(4))
@pytest.mark.parametrize("late", range(4))
def test_save_never_takes_attempts_back(repository: Repository, stored: int, late: int) -> None:
    """A worker that was stopped for longer than its lease saves what is older than what is there."""

    def tried(attempts: int, message: str) -> Event:
        made = tuple(Attempt(time=after(number), duration_ms=1.0) for number in range(attempts))
        return replace(event(1), attempts=made).moved(RETRY, after(4), message)

    other = event(2).moved(RETRY, after(4), "as it was read")
    repository.events.add([event(1), event(2)])
    repository.events.save([tried(stored, "as it is")])

    repository.events.save([tried(late, "late"), other])

    expected = tried(stored, "as it is") if stored > late else tried(late, "late")
    assert repository.events.find(event(1).id) == expected
    assert repository.events.find(event(2).id) == other


def test_archive_moves_events_out_of_the_live_ones(repository: Repository) -> None:
    repository.events.add([event(1), event(2)])

    assert repository.events.archive([ended(event(1))], NOON) == set()
    assert repository.events.archive([], NOON) == set()

    assert repository.events.pending(None, limit=9).items == (event(2),)
    assert repository.events.history(None, limit=9).items == (ended(event(1)),)


def test_archiving_again_keeps_the_first_entry_and_names_the_ids(repository: Repository) -> None:
    repository.events.add([event(1), event(2)])
    repository.events.archive([ended(event(1), message="first")], NOON)

    again = repository.events.archive([ended(event(1), EventState.ERROR), ended(event(2))], after(1))

    assert event(1).id in again
    assert repository.events.find(event(1).id) == ended(event(1), message="first")


def test_archiving_what_was_removed_with_its_schedule_names_the_ids(repository: Repository) -> None:
    repository.events.add([event(1), event(2)])
    repository.events.forget(schedule_id(1))

    assert repository.events.archive([ended(event(1))], NOON) == {event(1).id}


def test_a_superseded_event_whose_call_was_in_flight_has_its_result_as_its_entry(
    repository: Repository,
) -> None:
    repository.events.add([event(1)])
    repository.events.archive([ended(event(1), EventState.SUPERSEDED)], NOON)

    assert repository.events.archive([ended(event(1))], NOON) == {event(1).id}
    assert repository.events.find(event(1).id) == ended(event(1))
    assert repository.events.history(None, limit=9).total == 1


def test_skips_go_straight_into_the_archive(repository: Repository) -> None:
    repository.events.record_skips([skips(1, 3), skips(10, 1)], NOON)
    repository.events.record_skips([], NOON)

    assert repository.events.history(None, limit=9).items == (skips(10, 1), skips(1, 3))
    assert repository.events.counts() == {}


def test_a_longer_run_of_skips_replaces_a_shorter_one(repository: Repository) -> None:
    repository.events.record_skips([skips(1, 3)], NOON)
    repository.events.record_skips([skips(1, 5, "Longer.")], NOON)
    assert repository.events.find(event(1).id) == skips(1, 5, "Longer.")

    repository.events.record_skips([skips(1, 4), skips(1, 5, "As long.")], NOON)
    assert repository.events.find(event(1).id) == skips(1, 5, "Longer.")


def test_a_single_skip_gives_way_to_a_run(repository: Repository) -> None:
    single = ended(event(1), EventState.SKIPPED)
    repository.events.record_skips([single], NOON)
    repository.events.record_skips([single], NOON)
    assert repository.events.find(event(1).id) == single

    repository.events.record_skips([skips(1, 2)], NOON)
    assert repository.events.find(event(1).id) == skips(1, 2)


def test_a_run_of_skips_does_not_replace_what_was_done(repository: Repository) -> None:
    repository.events.add([event(1)])
    repository.events.archive([ended(event(1))], NOON)

    repository.events.record_skips([skips(1, 5)], NOON)

    assert repository.events.find(event(1).id) == ended(event(1))


def test_a_skipped_occurrence_is_not_entered_again(repository: Repository) -> None:
    repository.events.record_skips([skips(1, 2)], after(60))

    assert repository.events.add([event(1)]) == []


@pytest.mark.parametrize("entry", [ended(event(1), EventState.SKIPPED), skips(1, 5)], ids=["one", "a run"])
def test_a_skip_takes_the_place_of_what_was_superseded(repository: Repository, entry: Event) -> None:
    repository.events.add([event(1)])
    repository.events.archive([ended(event(1), EventState.SUPERSEDED)], NOON)

    repository.events.record_skips([entry], NOON)

    assert repository.events.find(event(1).id) == entry
    assert repository.events.history(None, limit=9).total == 1


def test_what_was_skipped_before_its_time_can_be_on_again(repository: Repository) -> None:
    """Only a person or a calendar takes out what has not come up yet; both may change their mind."""
    repository.events.record_skips([ended(event(60), EventState.SKIPPED)], after(59))

    assert repository.events.add([event(60)]) == [event(60)]

    assert repository.events.find(event(60).id) == event(60)
    assert repository.events.history(None, limit=9).total == 0


def test_what_was_skipped_when_its_time_had_come_is_not_on_again(repository: Repository) -> None:
    repository.events.record_skips([ended(event(60), EventState.SKIPPED)], after(60))

    assert repository.events.add([event(60)]) == []

    assert repository.events.find(event(60).id) == ended(event(60), EventState.SKIPPED)
    assert repository.events.get([event(60).id]) == {}


def test_results_are_the_calls_of_the_rule_that_ended_latest_run_first(repository: Repository) -> None:
    called = [ended(event(number)) for number in (1, 3)] + [ended(event(2), EventState.ERROR)]
    others = [
        ended(event(4), EventState.SKIPPED),
        ended(event(5), EventState.SUPERSEDED),
        ended(event(6, kind=Kind.MANUAL)),
        ended(event(7, schedule_id=schedule_id(9))),
    ]
    repository.events.archive([*called, *others], NOON)
    results = repository.events.results

    assert results(schedule_id(1), 9) == [called[1], called[2], called[0]]
    assert results(schedule_id(1), 2) == [called[1], called[2]]
    assert results(schedule_id(5), 2) == []


def test_discard_deletes_live_events_without_a_trace(repository: Repository) -> None:
    repository.events.add([event(1), event(2), event(3)])
    repository.events.archive([ended(event(3))], NOON)

    repository.events.discard(ids([event(1), event(3), event(4)]))
    repository.events.discard([])

    assert repository.events.find(event(1).id) is None
    assert repository.events.find(event(3).id) == ended(event(3))
    assert repository.events.pending(None, limit=9).items == (event(2),)


def test_live_walks_all_live_events_by_id(repository: Repository) -> None:
    repository.events.add([event(number) for number in (4, 2, 1, 3)])
    repository.events.archive([ended(event(3))], NOON)

    first = repository.events.live(after_id="", limit=2)
    second = repository.events.live(after_id=first[-1].id, limit=2)

    assert first == [event(1), event(2)]
    assert second == [event(4)]
    assert repository.events.live(after_id=event(4).id, limit=2) == []


def test_standings_are_what_live_has_in_short(repository: Repository) -> None:
    repository.events.add([event(number) for number in (4, 2, 1, 3)])
    repository.events.dispatched([event(2).id], NOON, due_by=after(9))

    first = repository.events.standings(after_id="", limit=3)
    rest = repository.events.standings(after_id=first[-1].event_id, limit=3)

    live = repository.events.live(after_id="", limit=9)
    assert [*first, *rest] == [Standing(event_id=one.id, due=one.due, state=one.state) for one in live]


def test_unfinished_are_live_events_of_one_schedule_by_run_time(repository: Repository) -> None:
    repository.events.add([event(3), event(1), event(2), event(1, schedule_id=schedule_id(9)), event(4)])
    repository.events.archive([ended(event(4))], NOON)
    unfinished = repository.events.unfinished

    assert unfinished(schedule_id(1)) == [event(1), event(2), event(3)]
    assert unfinished(schedule_id(1), before=after(3)) == [event(1), event(2)]
    assert unfinished(schedule_id(1), limit=1) == [event(1)]


def test_archived_tells_which_ids_the_archive_has_other_than_superseded(repository: Repository) -> None:
    repository.events.add([event(1), event(2), event(4)])
    repository.events.archive([ended(event(1)), ended(event(4), EventState.SUPERSEDED)], NOON)

    assert repository.events.archived(ids([event(n) for n in range(1, 5)])) == {event(1).id}
    assert repository.events.archived([]) == set()


def test_what_was_claimed_is_told_as_live_and_as_archived(repository: Repository) -> None:
    events = repository.events
    events.add([event(n) for n in range(1, 6)])
    events.archive([ended(event(1)), ended(event(4), EventState.SUPERSEDED)], NOON)
    events.record_skips([ended(event(5), EventState.SKIPPED)], NOON)
    wanted = ids([event(n) for n in range(7)])

    assert events.claimed(wanted) == (
        {event(n).id: event(n) for n in (2, 3, 5)},
        {event(1).id},
    )
    assert events.claimed(wanted) == (events.get(wanted), events.archived(wanted))
    assert events.claimed([]) == ({}, set())


def test_a_live_event_outlives_a_skip_that_a_late_plan_recorded_ahead_of_its_time(
    repository: Repository,
) -> None:
    """Put back while another process still held the old plan: what the worker finds live is what counts."""
    repository.events.add([event(60)])
    repository.events.record_skips([ended(event(60), EventState.SKIPPED)], after(10))
    assert repository.events.archived([event(60).id]) == set()

    assert repository.events.archive([ended(event(60))], after(61)) == set()

    assert repository.events.find(event(60).id) == ended(event(60))
    assert repository.events.archived([event(60).id]) == {event(60).id}
    assert repository.events.history(None, limit=9).total == 1


def test_forget_deletes_all_of_one_schedule_and_names_the_live(repository: Repository) -> None:
    other, past = event(3, schedule_id=schedule_id(9)), event(4, schedule_id=schedule_id(9))
    repository.events.add([event(1), event(2), other, past])
    repository.events.archive([ended(event(1)), ended(past)], NOON)

    assert repository.events.forget(schedule_id(1)) == [event(2).id]

    assert repository.events.find(event(1).id) is None
    assert repository.events.find(event(2).id) is None
    assert repository.events.pending(None, limit=9).items == (other,)
    assert repository.events.history(None, limit=9).items == (ended(past),)
    assert repository.events.forget(schedule_id(1)) == []


def test_purge_deletes_by_the_time_of_archiving_up_to_the_limit(repository: Repository) -> None:
    repository.events.add([event(number) for number in range(4)])
    for number in range(3):
        repository.events.archive([ended(event(3 - number))], after(100 + number))

    assert repository.events.purge(after(100), 9) == 0
    assert repository.events.purge(after(102), 1) == 1
    assert repository.events.purge(after(102), 9) == 1
    assert repository.events.history(None, limit=9).items == (ended(event(1)),)
    assert repository.events.pending(None, limit=9).items == (event(0),)


def test_purge_also_takes_old_skips(repository: Repository) -> None:
    repository.events.record_skips([skips(1, 3)], after(100))

    assert repository.events.purge(after(101), 9) == 1


def test_counts_are_of_live_events_by_state(repository: Repository) -> None:
    repository.events.add([event(1), event(2), event(3, state=RETRY), event(4)])
    repository.events.dispatched([event(2).id], NOON, due_by=after(9))
    repository.events.archive([ended(event(4))], NOON)

    assert repository.events.counts() == {READY: 1, WORKER: 1, RETRY: 1}


def test_of_more_events_than_are_looked_at_the_latest_count_as_waiting(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (mongo_redis_events, sqlite_events):
        monkeypatch.setattr(module, "COUNTED", 3)
    repository.events.add([event(number) for number in range(10)])
    repository.events.dispatched([event(0).id, event(1).id], NOON, due_by=after(9))

    assert repository.events.counts() == {READY: 8, WORKER: 2}
