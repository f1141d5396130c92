"""Exclusions above the recurrence engine: against a plain model that looks at every instant."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from rrcli.core.calendars import Calendar, Closure, Holiday
from rrcli.core.exclusions import Exclusions, allowed_from, latest_allowed
from rrcli.core.models import Skip
from rrcli.core.recurrence import Recurrence

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
QUARTERLY = Recurrence.parse("DTSTART:20260301T000000Z\nRRULE:FREQ=MINUTELY;INTERVAL=15;COUNT=600")
BERLIN = ZoneInfo("Europe/Berlin")


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def calendar(days: set[int], spans: list[tuple[int, int]]) -> Calendar:
    closures = sorted((hours(start), hours(start + length)) for start, length in spans)
    return Calendar(
        name="c",
        version="1",
        holidays=tuple(Holiday(day=date(2026, 3, day), title="d") for day in sorted(days)),
        closures=tuple(Closure(start=start, end=end, title="t") for start, end in closures),
        updated_at=NOON,
    )


SPANS = st.lists(st.tuples(st.integers(-40, 100), st.integers(1, 30)), max_size=6)


@settings(deadline=None)  # a loaded machine says nothing about the law
@given(
    days=st.sets(st.integers(1, 8), max_size=4),
    spans=SPANS,
    skipped=st.sets(st.integers(-40, 100), max_size=4),
    start=st.integers(-40, 100),
)
def test_what_is_allowed_is_what_nothing_excludes(
    days: set[int], spans: list[tuple[int, int]], skipped: set[int], start: int
) -> None:
    exclusions = Exclusions([Skip(run_time=hours(each)) for each in skipped], [calendar(days, spans)], BERLIN)

    def plain(instant: datetime) -> bool:
        return not (
            instant in {hours(each) for each in skipped}
            or instant.astimezone(BERLIN).day in days
            or any(hours(first) <= instant < hours(first + length) for first, length in spans)
        )

    every = list(QUARTERLY.occurrences())
    expected = [each for each in every if plain(each)]
    assert list(allowed_from(QUARTERLY, exclusions, hours(start))) == [
        each for each in expected if each >= hours(start)
    ]
    newest = max((each for each in expected if each <= hours(start)), default=None)
    floor = datetime(2026, 2, 1, tzinfo=UTC)
    assert latest_allowed(QUARTERLY, exclusions, hours(start), floor=floor) == newest


def test_an_endless_rule_on_an_endless_row_of_holidays_comes_to_its_end() -> None:
    christmas = Calendar(
        name="c",
        version="1",
        holidays=tuple(Holiday(day=date(year, 12, 25), title="d") for year in range(2026, 2037)),
        updated_at=NOON,
    )
    yearly = Recurrence.parse("DTSTART:20251225T080000Z\nRRULE:FREQ=YEARLY")
    found = islice(allowed_from(yearly, Exclusions((), [christmas]), NOON), 1)
    assert [each.year for each in found] == [2037]


def test_a_persons_word_comes_before_a_calendars() -> None:
    exclusions = Exclusions([Skip(run_time=NOON, reason="r")], [calendar({2}, [])])
    excluded = exclusions.at(NOON)
    assert excluded is not None
    assert excluded.reason == "Skipped by hand: r"
