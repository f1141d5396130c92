"""Cron lines as rules: what they mean, against a matcher that asks every minute, and what is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rrcli.core.cron import rules_of_cron
from rrcli.core.recurrence import Recurrence
from rrcli.errors import InvalidInput

MINUTE = timedelta(minutes=1)
NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True)
class Field:
    """A field as written, and the numbers that it stands for."""

    text: str
    numbers: frozenset[int]

    @property
    def starred(self) -> bool:
        return self.text.startswith("*")


def items(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[Field]:
    """One item of a list: `*`, `*/n`, a number or name, a range, a range with a step."""

    def named(number: int) -> str:
        return (
            names[number - low].capitalize()
            if names and number % 2 and number - low < len(names)
            else f"{number}"
        )

    def ranged(ends: tuple[int, int], step: int) -> Field:
        first, last = sorted(ends)
        step_text = f"/{step}" if step > 1 else ""
        return Field(f"{named(first)}-{named(last)}{step_text}", frozenset(range(first, last + 1, step)))

    number = st.integers(low, high)
    steps = st.integers(1, high - low)
    return st.one_of(
        st.just(Field("*", frozenset(range(low, high + 1)))),
        steps.map(lambda step: Field(f"*/{step}", frozenset(range(low, high + 1, step)))),
        number.map(lambda each: Field(named(each), frozenset({each}))),
        st.builds(ranged, st.tuples(number, number), steps),
    )


def fields(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[Field]:
    def joined(parts: list[Field]) -> Field:
        return Field(
            ",".join(part.text for part in parts), frozenset().union(*(part.numbers for part in parts))
        )

    return st.lists(items(low, high, names), min_size=1, max_size=3).map(joined)


def weekdays() -> st.SearchStrategy[Field]:
    """0 to 7; a step after `*` counts 0 to 6."""
    plain = fields(0, 6, NAMES)
    seven = st.just(Field("5-7", frozenset({5, 6, 0})))
    return st.one_of(
        plain, plain, seven, st.just(Field("7", frozenset({0}))), st.just(Field("*", frozenset(range(7))))
    )


@dataclass(frozen=True)
class Line:
    """A whole line, and an answer to whether it matches a minute: no rule is involved."""

    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field

    @property
    def text(self) -> str:
        return " ".join(each.text for each in (self.minute, self.hour, self.day, self.month, self.weekday))

    def on(self, day: date) -> bool:
        by_month, by_week = day.day in self.day.numbers, day.isoweekday() % 7 in self.weekday.numbers
        both = self.day.starred or self.weekday.starred
        return day.month in self.month.numbers and (by_month and by_week if both else by_month or by_week)

    def at(self, wall: datetime) -> bool:
        return self.on(wall.date()) and wall.hour in self.hour.numbers and wall.minute in self.minute.numbers

    def expected(self, start: datetime, days: int, zone: ZoneInfo) -> set[datetime]:
        end = start + timedelta(days=days)
        if self.minute.starred or self.hour.starred:
            return set(self._by_minute(start, end, zone))
        found = {each.replace(tzinfo=zone).astimezone(UTC) for each in self._by_clock(start.date(), days)}
        return {each for each in found if start <= each < end}

    def _by_minute(self, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Every minute that passes, by what the clock on the wall shows then."""
        while start < end:
            if self.at(start.astimezone(zone).replace(tzinfo=None)):
                yield start
            start += MINUTE

    def _by_clock(self, first: date, days: int) -> Iterator[datetime]:
        """Every time that a day has on paper; one that the clocks skip is meant by the offset before."""
        for number in range(-1, days + 1):
            day = first + timedelta(days=number)
            if self.on(day):
                for hour in self.hour.numbers:
                    for minute in self.minute.numbers:
                        yield datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 a wall clock


LINES = st.builds(
    Line,
    fields(0, 59),
    fields(0, 23),
    fields(1, 31),
    fields(1, 12, MONTHS),
    weekdays(),
)
ANY = Field("*", frozenset(range(60)))
NIGHT = Field("1-3", frozenset({1, 2, 3}))
HALVES = Field("*/30", frozenset({0, 30}))
HALVES_BY_NAME = Field("0,30", HALVES.numbers)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])


def translated(line: str, start: datetime, days: int, zone: str) -> set[datetime]:
    recurrence = Recurrence.parse(rules_of_cron(line), timezone=zone, anchor=start - timedelta(days=3))
    found = list(recurrence.occurrences(after=start, before=start + timedelta(days=days)))
    assert len(found) == len(set(found))
    return set(found)


def check(line: Line, start: datetime, days: int, zone: str) -> None:
    expected = line.expected(start, days, ZoneInfo(zone))
    try:
        found = translated(line.text, start, days, zone)
    except InvalidInput:  # it never happens
        assert not any(line.on(date(2024, 1, 1) + timedelta(days=number)) for number in range(28 * 366))
        return
    assert found == expected, line.text


@settings(max_examples=150, deadline=None)
@given(line=LINES, zone=ZONES, year=st.integers(2024, 2029), season=st.sampled_from([3, 9, 10, 11]))
@example(line=Line(HALVES, NIGHT, ANY, ANY, ANY), zone="Europe/Berlin", year=2027, season=3)
@example(line=Line(HALVES, NIGHT, ANY, ANY, ANY), zone="Europe/Berlin", year=2027, season=10)
@example(line=Line(HALVES_BY_NAME, NIGHT, ANY, ANY, ANY), zone="Europe/Berlin", year=2027, season=3)
@example(line=Line(HALVES_BY_NAME, NIGHT, ANY, ANY, ANY), zone="Europe/Berlin", year=2027, season=10)
def test_a_rule_occurs_at_the_very_minutes_that_a_line_matches_when_clocks_change(
    line: Line, zone: str, year: int, season: int
) -> None:
    check(line, datetime(year, season, 24 if season != 11 else 1, tzinfo=UTC), 9, zone)


@settings(max_examples=80, deadline=None)
@given(line=LINES.filter(lambda line: not (line.minute.starred or line.hour.starred)), zone=ZONES)
def test_a_rule_occurs_on_the_very_days_of_a_line_over_years(line: Line, zone: str) -> None:
    # One time a day is enough to tell days apart.
    once = Line(Field("17", frozenset({17})), Field("9", frozenset({9})), line.day, line.month, line.weekday)
    check(once, datetime(2024, 1, 1, tzinfo=UTC), 5 * 366, zone)


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("30 8 * * 1-5", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=8;BYMINUTE=30;BYSECOND=0"),
        ("*/15 * * * *", "FREQ=HOURLY;BYMINUTE=0,15,30,45;BYSECOND=0"),
        ("* * * * *", "FREQ=MINUTELY;BYSECOND=0"),
        ("* 9 * * *", "FREQ=MINUTELY;BYHOUR=9;BYSECOND=0"),
        ("0 0 1 jan *", "FREQ=MONTHLY;BYMONTH=1;BYMONTHDAY=1;BYHOUR=0;BYMINUTE=0;BYSECOND=0"),
        ("@daily", "FREQ=DAILY;BYHOUR=0;BYMINUTE=0;BYSECOND=0"),
        ("@hourly", "FREQ=HOURLY;BYMINUTE=0;BYSECOND=0"),
        ("0 9 * * 5#3", "FREQ=MONTHLY;BYDAY=3FR;BYHOUR=9;BYMINUTE=0;BYSECOND=0"),
        ("0 9 * * FRIL", "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9;BYMINUTE=0;BYSECOND=0"),
        ("0 9 L * *", "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=9;BYMINUTE=0;BYSECOND=0"),
        ("0 9 * * FRI-SUN", "FREQ=WEEKLY;BYDAY=FR,SA,SU;BYHOUR=9;BYMINUTE=0;BYSECOND=0"),
        # The day of the month can never be; the weekday can.
        ("0 0 31 2 1", "FREQ=WEEKLY;BYMONTH=2;BYDAY=MO;BYHOUR=0;BYMINUTE=0;BYSECOND=0"),
    ],
)
def test_lines_and_their_rules(line: str, rules: str) -> None:
    assert rules_of_cron(line) == rules


def working_day_nearest(year: int, month: int, day: int) -> date:
    """As Quartz defines nW, counted by hand."""
    found = date(year, month, day)
    if found.weekday() == 5:
        return found - timedelta(days=1) if day > 1 else found + timedelta(days=2)
    return found + timedelta(days=1) if found.weekday() == 6 else found


def last_day(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def last_working_day(year: int, month: int) -> date:
    found = last_day(year, month)
    return found - timedelta(days=max(0, found.weekday() - 4))


def nth_friday(year: int, month: int, nth: int) -> date | None:
    fridays = [date(year, month, day) for day in range(1, last_day(year, month).day + 1)]
    fridays = [each for each in fridays if each.weekday() == 4]
    return fridays[nth - 1 if nth > 0 else nth] if abs(nth) <= len(fridays) else None


@pytest.mark.parametrize("times", ["30 9", "0,30 9,17", "0 *"])
@pytest.mark.parametrize(
    ("day", "weekday", "oracle"),
    [
        ("1W", "*", lambda year, month: working_day_nearest(year, month, 1)),
        ("15W", "*", lambda year, month: working_day_nearest(year, month, 15)),
        ("27W", "*", lambda year, month: working_day_nearest(year, month, 27)),
        ("LW", "*", last_working_day),
        ("L-3", "*", lambda year, month: last_day(year, month) - timedelta(days=3)),
        ("*", "FRI#3", lambda year, month: nth_friday(year, month, 3)),
        ("*", "5#5", lambda year, month: nth_friday(year, month, 5)),
        ("*", "5L", lambda year, month: nth_friday(year, month, -1)),
    ],
)
def test_special_days_over_ten_years(times: str, day: str, weekday: str, oracle) -> None:
    rule = rules_of_cron(f"{times} {day} * {weekday}")
    recurrence = Recurrence.parse(rule, anchor=datetime(2024, 1, 1, tzinfo=UTC))
    found = recurrence.occurrences(before=datetime(2034, 1, 1, tzinfo=UTC))
    expected = {oracle(year, month) for year in range(2024, 2034) for month in range(1, 13)}
    assert {each.date() for each in found} == expected - {None}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0 31 2 *", "never happens"),
        ("0 0 30,31 feb *", "never happens"),
        ("* * * *", "five fields"),
        ("", "five fields"),
        ("0 30 8 * * 1-5", "seconds or years"),
        ("60 * * * *", "minute: 60 is not 0 to 59"),
        ("0 24 * * *", "hour: 24 is not 0 to 23"),
        ("0 0 0 * *", "day of the month: 0"),
        ("0 0 * 13 *", "month: 13 is not 1 to 12 or JAN to DEC"),
        ("0 0 * * 8", "day of the week: 8 is not 0 to 7 or SUN to SAT"),
        ("0 0 * * MONDAY", "MONDAY"),
        ("5/15 * * * *", "different things"),
        ("0 22-2 * * *", "ends before it begins"),
        ("*/0 * * * *", "step of 0"),
        ("*/90 * * * *", "step of 90"),
        ("0 0 ? * MON", "? is of crons"),
        ("0 0 31W * *", "length of the month"),
        ("0 0 L-31 * *", "before every month"),
        ("0 0 * * L", "Saturday in one cron and Sunday in another"),
        ("0 0 * * 1#6", "at most five"),
        ("H * * * *", "lets the cron choose"),
        ("0~59 * * * *", "lets the cron choose"),
        ("@reboot", "start of a machine"),
        ("@every 5m", "no cron line"),
        ("@often", "@daily"),
        ("CRON_TZ=UTC 0 0 * * *", "nothing before them"),
        ("1,,2 * * * *", "an empty item"),
        ("٣ * * * *", "not understood"),
        ("1- * * * *", "not understood"),
        ("*-5 * * * *", "not understood"),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_reason(line: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        rules_of_cron(line)
    (problem,) = refused.value.fields
    assert problem.field == "cron"
    assert reason in problem.allowed


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(max_size=40), st.lists(st.text("*/0123456789-,LW#?HSUNMOAR", max_size=6)).map(" ".join))
)
@example("0 0 1 1 1L,2#1")
def test_any_text_is_a_rule_or_refused(line: str) -> None:
    try:
        rules = rules_of_cron(line)
    except InvalidInput:
        return
    Recurrence.parse(rules, anchor=datetime(2026, 1, 1, tzinfo=UTC))
