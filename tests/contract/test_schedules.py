"""What every backend keeps about schedules (base.Schedules)."""

from dataclasses import replace
from datetime import datetime

import pytest

from rrcli.core.models import Misfire, MisfirePolicy, Schedule, ScheduleState, Skip, Timetable
from rrcli.errors import Conflict
from rrcli.repository.base import Advance, Repository
from tests.contract.samples import after, schedule, schedule_id


def ids(schedules: object) -> list[str]:
    assert isinstance(schedules, list | tuple)
    return [each.id for each in schedules]


def stored(repository: Repository, number: int = 1) -> Schedule:
    return repository.schedules.get([schedule_id(number)])[schedule_id(number)]


def move(number: int, next_run: datetime | None, rule_revision: int = 1) -> Advance:
    return Advance(schedule_id=schedule_id(number), rule_revision=rule_revision, next_run=next_run)


def test_get_returns_those_that_exist_by_id(repository: Repository) -> None:
    repository.schedules.add([schedule(1), schedule(2)])

    found = repository.schedules.get([schedule_id(1), schedule_id(3)])

    assert found == {schedule_id(1): schedule(1)}
    assert repository.schedules.get([]) == {}


def test_known_are_those_that_exist(repository: Repository) -> None:
    repository.schedules.add([schedule(1), schedule(2, state=ScheduleState.PAUSED)])
    assert repository.schedules.known([schedule_id(1), schedule_id(2), schedule_id(3)]) == {
        schedule_id(1),
        schedule_id(2),
    }
    assert repository.schedules.known([]) == set()


def test_adding_an_id_twice_is_a_conflict_and_keeps_the_first(repository: Repository) -> None:
    repository.schedules.add([schedule(1)])

    with pytest.raises(Conflict):
        repository.schedules.add([schedule(1, name="another")])

    assert stored(repository) == schedule(1)


def test_adding_nothing_is_allowed(repository: Repository) -> None:
    repository.schedules.add([])

    assert repository.schedules.counts() == {}


def test_an_exact_id_wins_over_a_name_that_looks_the_same(repository: Repository) -> None:
    repository.schedules.add([schedule(1), schedule(2, name=schedule_id(1))])

    assert ids(repository.schedules.resolve(schedule_id(1))) == [schedule_id(1)]


def test_an_exact_name_wins_over_a_prefix_of_an_id(repository: Repository) -> None:
    repository.schedules.add([schedule(1), schedule(2, name=schedule_id(1)[:4])])

    assert ids(repository.schedules.resolve(schedule_id(1)[:4])) == [schedule_id(2)]


def test_a_prefix_of_an_id_finds_all_that_begin_with_it_up_to_the_limit(repository: Repository) -> None:
    repository.schedules.add([schedule(number) for number in range(1, 6)])
    prefix = schedule_id(1)[:7]

    assert len(repository.schedules.resolve(prefix)) == 3
    assert len(repository.schedules.resolve(prefix, limit=2)) == 2
    assert ids(repository.schedules.resolve(schedule_id(4)[:-1])) == [schedule_id(4)]


def test_all_schedules_of_one_name_are_candidates(repository: Repository) -> None:
    repository.schedules.add([schedule(1, name="backup"), schedule(2, name="backup")])

    assert set(ids(repository.schedules.resolve("backup"))) == {schedule_id(1), schedule_id(2)}


@pytest.mark.parametrize("reference", ["unknown", ".*", "%", "schedule", "ffffffffffffffffffffffff"])
def test_what_names_nothing_resolves_to_nothing(repository: Repository, reference: str) -> None:
    repository.schedules.add([schedule(1)])

    assert repository.schedules.resolve(reference) == []


def test_find_lists_the_newest_first_in_pages_with_the_total(repository: Repository) -> None:
    repository.schedules.add([schedule(number) for number in (2, 1, 3)])

    first = repository.schedules.find(limit=2)
    second = repository.schedules.find(limit=2, offset=2)

    assert (ids(first.items), first.total) == ([schedule_id(3), schedule_id(2)], 3)
    assert (ids(second.items), second.total) == ([schedule_id(1)], 3)


def test_find_by_state_name_and_tag_together_and_alone(repository: Repository) -> None:
    paused = ScheduleState.PAUSED
    repository.schedules.add(
        [
            schedule(1, name="Nightly Übung", tags=("prod", "db")),
            schedule(2, name="nightly report", tags=("prod",), state=paused),
            schedule(3, name="hourly", tags=("db",), state=paused),
        ]
    )
    find = repository.schedules.find

    assert ids(find(state=paused, limit=9).items) == [schedule_id(3), schedule_id(2)]
    assert ids(find(name="NIGHT", limit=9).items) == [schedule_id(2), schedule_id(1)]
    assert ids(find(name="übung", limit=9).items) == [schedule_id(1)]
    assert ids(find(tag="db", limit=9).items) == [schedule_id(3), schedule_id(1)]
    assert ids(find(tag="d", limit=9).items) == []
    assert ids(find(state=paused, name="ly", tag="prod", limit=9).items) == [schedule_id(2)]
    assert find(state=paused, limit=1).total == 2
    assert find(name="night", limit=1).total == 2
    assert find(tag="db", limit=1).total == 2


@pytest.mark.parametrize("name", [".*", "%", "_", "(", "\\"])
def test_a_name_to_find_is_text_not_a_pattern(repository: Repository, name: str) -> None:
    repository.schedules.add([schedule(1), schedule(2, name=f"a{name}b")])

    assert ids(repository.schedules.find(name=name, limit=9).items) == [schedule_id(2)]


def test_replace_overwrites_when_the_revision_is_the_expected_one(repository: Repository) -> None:
    repository.schedules.add([schedule(1)])
    changed = schedule(1, name="renamed", revision=2, next_run=None, tags=("a",))

    assert repository.schedules.replace(changed, expected_revision=1) is True
    assert stored(repository) == changed


def test_replace_with_a_stale_revision_changes_nothing(repository: Repository) -> None:
    current = schedule(1, revision=3)
    repository.schedules.add([current])

    assert repository.schedules.replace(schedule(1, name="late", revision=3), expected_revision=2) is False
    assert stored(repository) == current


def test_replace_of_a_schedule_that_is_gone_does_not_bring_it_back(repository: Repository) -> None:
    assert repository.schedules.replace(schedule(1, revision=2), expected_revision=1) is False
    assert repository.schedules.get([schedule_id(1)]) == {}


def test_remove_tells_whether_there_was_one(repository: Repository) -> None:
    repository.schedules.add([schedule(1), schedule(2)])

    assert repository.schedules.remove(schedule_id(1)) is True
    assert repository.schedules.remove(schedule_id(1)) is False
    assert ids(repository.schedules.find(limit=9).items) == [schedule_id(2)]


def test_due_are_active_schedules_before_the_instant_earliest_first(repository: Repository) -> None:
    repository.schedules.add(
        [
            schedule(3),
            schedule(1),
            schedule(2),
            schedule(4),
            schedule(5, next_run=after(1), state=ScheduleState.PAUSED),
            schedule(6, next_run=after(1), state=ScheduleState.COMPLETED),
            schedule(7, next_run=None),
        ]
    )

    assert ids(repository.schedules.due(after(4), 9)) == [schedule_id(1), schedule_id(2), schedule_id(3)]
    assert ids(repository.schedules.due(after(4), 2)) == [schedule_id(1), schedule_id(2)]
    assert repository.schedules.due(after(1), 9) == []


def test_timetables_are_what_is_due_without_the_call(repository: Repository) -> None:
    skip = Skip(run_time=after(7), reason="by hand", moved_to=after(8))
    first = schedule(
        1, timezone="Europe/Berlin", skips=(skip,), exclude_calendars=("de",), jitter_seconds=2.5
    )
    repository.schedules.add([schedule(2), first, schedule(3, misfire=Misfire(policy=MisfirePolicy.ALL))])

    found = repository.schedules.timetables(after(9), 2)

    assert found == [
        Timetable(**{name: getattr(each, name) for name in Timetable.__struct_fields__})
        for each in repository.schedules.due(after(9), 2)
    ]
    assert ids(found) == [schedule_id(1), schedule_id(2)]
    assert ids(repository.schedules.timetables(after(9), 1, since=after(2))) == [schedule_id(2)]
    assert repository.schedules.timetables(after(3), 9, since=after(3)) == []


def test_advance_moves_many_watermarks_and_nothing_else(repository: Repository) -> None:
    repository.schedules.add([schedule(1), schedule(2)])

    assert repository.schedules.advance([move(1, after(100)), move(2, None), move(3, after(9))]) == 2
    assert repository.schedules.advance([move(1, after(99))]) == 0

    assert stored(repository, 1) == replace(schedule(1), next_run=after(100))
    assert stored(repository, 2) == replace(schedule(2), next_run=None)
    assert ids(repository.schedules.due(after(101), 9)) == [schedule_id(1)]


def test_a_watermark_never_goes_back(repository: Repository) -> None:
    repository.schedules.add([schedule(1, next_run=after(100)), schedule(2, next_run=None)])

    repository.schedules.advance([move(1, after(99)), move(2, after(99))])

    assert stored(repository, 1).next_run == after(100)
    assert stored(repository, 2).next_run is None


def test_advance_of_an_older_rule_changes_nothing(repository: Repository) -> None:
    repository.schedules.add([schedule(1, revision=5, rule_revision=4)])

    repository.schedules.advance([move(1, after(100), rule_revision=3), move(1, None, rule_revision=5)])

    assert stored(repository).next_run == after(1)


@pytest.mark.parametrize("state", [ScheduleState.PAUSED, ScheduleState.COMPLETED])
def test_advance_leaves_schedules_that_are_not_active(repository: Repository, state: ScheduleState) -> None:
    repository.schedules.add([schedule(1, state=state)])

    repository.schedules.advance([move(1, after(100))])

    assert stored(repository).next_run == after(1)


def test_advance_passes_over_schedules_that_are_gone(repository: Repository) -> None:
    repository.schedules.add([schedule(2)])

    repository.schedules.advance([move(1, after(50)), move(2, after(50))])
    repository.schedules.advance([])

    assert stored(repository, 2).next_run == after(50)
    assert repository.schedules.get([schedule_id(1)]) == {}


def test_exhausted_are_active_schedules_without_a_watermark(repository: Repository) -> None:
    repository.schedules.add(
        [
            schedule(1),
            schedule(2, next_run=None),
            schedule(3, next_run=None),
            schedule(4, next_run=None, state=ScheduleState.COMPLETED),
            schedule(5, next_run=None, state=ScheduleState.PAUSED),
        ]
    )

    assert set(ids(repository.schedules.exhausted(9))) == {schedule_id(2), schedule_id(3)}
    assert len(repository.schedules.exhausted(1)) == 1


def test_counts_by_state_leave_out_what_is_absent(repository: Repository) -> None:
    repository.schedules.add([schedule(1), schedule(2), schedule(3, state=ScheduleState.PAUSED)])

    assert repository.schedules.counts() == {ScheduleState.ACTIVE: 2, ScheduleState.PAUSED: 1}
