"""What every backend keeps about holiday calendars, and about the schedules that exclude them."""

from dataclasses import replace
from datetime import date

from rrcli.core.calendars import Calendar, Closure, Holiday
from rrcli.repository.base import Repository
from tests.contract.samples import NOON, after, schedule

FULL = Calendar(
    name="de",
    version="a",
    holidays=(
        Holiday(day=date(1, 1, 1), title="The first of all"),
        Holiday(day=date(2026, 12, 25), title="Weihnachten “☃”"),
    ),
    closures=(Closure(start=NOON, end=after(1.5), title="Übung"),),
    updated_at=NOON,
)
EMPTY = Calendar(name="at", version="b", updated_at=after(1))


def test_what_is_stored_comes_back(repository: Repository) -> None:
    repository.calendars.put(FULL)
    repository.calendars.put(EMPTY)

    assert repository.calendars.get(["de", "at", "none"]) == {"de": FULL, "at": EMPTY}
    assert repository.calendars.get([]) == {}
    assert repository.calendars.list() == [EMPTY, FULL]


def test_a_calendar_takes_the_place_of_the_one_of_its_name(repository: Repository) -> None:
    repository.calendars.put(FULL)
    changed = replace(FULL, version="c", holidays=())
    repository.calendars.put(changed)

    assert repository.calendars.list() == [changed]
    assert repository.calendars.versions(["de", "none"]) == {"de": "c"}
    assert repository.calendars.versions([]) == {}


def test_remove_says_whether_there_was_one(repository: Repository) -> None:
    repository.calendars.put(FULL)

    assert repository.calendars.remove("de") is True
    assert repository.calendars.remove("de") is False
    assert repository.calendars.list() == []


def test_schedules_are_found_by_the_calendars_they_exclude(repository: Repository) -> None:
    using = [schedule(number, exclude_calendars=("at", "de")) for number in (1, 2, 3)]
    repository.schedules.add([*using, schedule(4, exclude_calendars=("at",)), schedule(5)])
    found = repository.schedules.using_calendar

    assert found("de", limit=9) == using
    assert found("de", limit=2) == using[:2]
    assert found("de", after_id=using[0].id, limit=9) == using[1:]
    assert found("d", limit=9) == []
