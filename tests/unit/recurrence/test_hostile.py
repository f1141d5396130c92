"""Hostile input is ordinary input: answered or refused within 50 ms and 5 MB."""

import gc
import random
import string
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.recurrence import Recurrence
from rrcli.errors import InvalidRule
from tests.unit.recurrence.examples import many

from .strategies import rule_texts

ANCHOR = datetime(2015, 1, 1, 9, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MOST_SECONDS = 0.05
MOST_BYTES = 5_000_000

ALL_SIXTY = ",".join(map(str, range(60)))
EVEN = ",".join(map(str, range(0, 60, 2)))
EVEN_HOURS = ",".join(map(str, range(0, 24, 2)))
ALL_DAY = f"BYHOUR={','.join(map(str, range(24)))};BYMINUTE={ALL_SIXTY};BYSECOND={ALL_SIXTY}"
HOSTILE = {
    "30 February, yearly": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "30 February, daily": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "30 February, hourly": "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
    "30 February, secondly": "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "a position that no hour has": "FREQ=HOURLY;BYDAY=MO;BYSETPOS=2",
    "a position that no second has": "FREQ=SECONDLY;BYMINUTE=0;BYSETPOS=2",
    "a position beyond the minute": f"FREQ=MINUTELY;BYSECOND={ALL_SIXTY};BYSETPOS=61",
    "an odd step into 30 February": "FREQ=SECONDLY;INTERVAL=7;BYMONTH=2;BYMONTHDAY=30;BYHOUR=1",
    "week 53 in June": "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
    "an hour that the step never meets": "FREQ=HOURLY;INTERVAL=4;BYHOUR=7",
    "a weekday that the step never meets": "FREQ=HOURLY;INTERVAL=168;BYDAY=TU",
    "a weekday that days never meet": "FREQ=DAILY;INTERVAL=14;BYDAY=MO",
    "a weekday that weeks of seconds never meet": "FREQ=SECONDLY;INTERVAL=604800;BYDAY=FR",
    "a month that weeks meet rarely": "FREQ=WEEKLY;INTERVAL=52;BYMONTH=11",
    "a minute that the step never meets": "FREQ=MINUTELY;INTERVAL=12;BYMINUTE=10,11,25,39,50",
    "a second that the step never meets": "FREQ=SECONDLY;INTERVAL=10;BYSECOND=2,15,37,42,59",
    "a leap day on the first Monday only": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=5MO",
    "seconds": "FREQ=SECONDLY",
    "an interval of 10^9 seconds": "FREQ=SECONDLY;INTERVAL=1000000000",
    "an interval of 10^9 hours": "FREQ=HOURLY;INTERVAL=1000000000",
    "an interval of 10^9 years": "FREQ=YEARLY;INTERVAL=1000000000",
    "an interval of 10^9 days on a Monday": "FREQ=DAILY;INTERVAL=1000000000;BYDAY=MO",
    "a count of 10^9 seconds": "FREQ=SECONDLY;COUNT=1000000000",
    "a count of 10^9 days": "FREQ=DAILY;COUNT=1000000000",
    "a count of 10^9 filtered seconds": "FREQ=SECONDLY;BYHOUR=1;BYDAY=MO;COUNT=1000000000",
    "until the year 9999": "FREQ=DAILY;UNTIL=99991231T235959Z",
    "every second of every day, spelt out": f"FREQ=DAILY;{ALL_DAY}",
    "every second of the year, last one": f"FREQ=YEARLY;{ALL_DAY};BYMONTHDAY=31;BYSETPOS=-1",
    "every second of 366 days, moved": (
        f"FREQ=YEARLY;BYYEARDAY=366,-366;{ALL_DAY};RSCALE=GREGORIAN;SKIP=FORWARD"
    ),
    "every other second": f"FREQ=SECONDLY;INTERVAL=7;BYHOUR={EVEN_HOURS};BYMINUTE={EVEN};BYSECOND={EVEN}",
    "a long odd step onto one second": "FREQ=SECONDLY;INTERVAL=86399;BYHOUR=1;BYMINUTE=0;BYSECOND=0",
    "an odd step beside its weekday": "FREQ=SECONDLY;INTERVAL=2401;BYDAY=TU;BYHOUR=9;BYMINUTE=0;BYSECOND=0",
    "a long odd step onto one hour": "FREQ=SECONDLY;INTERVAL=86401;BYHOUR=1",
    "a long odd step into 30 February": (
        f"FREQ=SECONDLY;INTERVAL=86399;BYMONTH=2;BYMONTHDAY=30;BYMINUTE={EVEN};BYSECOND={EVEN}"
    ),
    "only a leap second": "FREQ=MINUTELY;BYSECOND=60",
}


def pace() -> float:
    """How much slower this machine is now than an ordinary one (at least 1): limits are for ordinary ones."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        sum(number * number % 7 for number in range(100_000))
        best = min(best, time.process_time() - began)
    return max(1.0, best / 0.008)


def measured(text: str, zone: str | None) -> tuple[float, int]:
    """Seconds of processor time and peak bytes of reading a text and asking it everything."""
    for traced in (False, True):
        if traced:
            tracemalloc.start()
        began = time.process_time()
        try:
            recurrence = Recurrence.parse(text, timezone=zone, anchor=ANCHOR)
            recurrence.after(NOW)
            recurrence.between(NOW, NOW + timedelta(minutes=10), 100)
        except InvalidRule:
            pass
        if not traced:
            seconds = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak


@pytest.mark.parametrize("zone", [None, "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("rule", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_rules_are_answered_at_once_and_in_little_memory(rule: str, zone: str | None) -> None:
    seconds, peak = min(measured(rule, zone) for _ in range(3))
    assert peak < MOST_BYTES
    assert seconds < MOST_SECONDS * pace()


def _dates(count: int) -> str:
    return ",".join(f"{ANCHOR + timedelta(days=day):%Y%m%dT%H%M%SZ}" for day in range(count))


START = "DTSTART:20150101T090000Z\n"
HOSTILE_TEXTS = {
    "10,000 removed dates": f"{START}RRULE:FREQ=DAILY\nEXDATE:{_dates(10_000)}",
    "10,001 removed dates": f"{START}RRULE:FREQ=DAILY\nEXDATE:{_dates(10_001)}",
    "a rule that removes itself": f"{START}RRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY",
    "a rule that removes itself in other words": (
        f"{START}RRULE:FREQ=SECONDLY\nEXRULE:FREQ=SECONDLY;BYSECOND={ALL_SIXTY}"
    ),
    "20,000 rules": START + "RRULE:FREQ=DAILY\n" * 20_000,
    "6,500 characters of seconds": f"{START}RRULE:FREQ=MINUTELY;BYSECOND={'1,' * 3200}1",
    "350,000 seconds": f"{START}RRULE:FREQ=MINUTELY;BYSECOND={'1,' * 350_000}1",
    "DTSTART in 1970": "DTSTART:19700101T000000Z\nRRULE:FREQ=SECONDLY",
    "DTSTART in 9999": "DTSTART:99991231T235959Z\nRRULE:FREQ=SECONDLY",
    "100,000 characters": "FREQ=DAILY;BYHOUR=" + "9" * 100_000,
    "a number of 100,000 digits": "FREQ=DAILY;INTERVAL=" + "9" * 100_000,
    "100,000 folds": "RRULE:FREQ=DAILY" + "\r\n " * 100_000,
    "100,000 semicolons": "FREQ=DAILY" + ";" * 100_000,
    "100,000 colons": ":" * 100_000,
    "a zone name of 100,000 characters": f"DTSTART;TZID={'A' * 100_000}:20150101T090000\nRRULE:FREQ=DAILY",
    "100,000 parameters": f"DTSTART{';A=b' * 25_000}:20150101T090000\nRRULE:FREQ=DAILY",
}


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS.keys())
def test_hostile_texts_are_answered_or_refused_at_once_and_in_little_memory(text: str) -> None:
    seconds, peak = min(measured(text, None) for _ in range(3))
    assert peak < MOST_BYTES
    assert seconds < MOST_SECONDS * pace()


@pytest.mark.parametrize(
    "rule", [rule for name, rule in HOSTILE.items() if "never" in name or "30 Feb" in name]
)
def test_rules_that_never_occur_say_so(rule: str) -> None:
    for zone in ("UTC", "America/New_York"):
        recurrence = Recurrence.parse(rule, timezone=zone, anchor=ANCHOR)
        assert recurrence.after(datetime.min.replace(tzinfo=UTC)) is None
        assert "never-occurs" in {lint.code for lint in recurrence.lint()}


@many
@given(text=st.text(st.sampled_from(string.printable + "é\x00\u2028١"), max_size=120))
def test_parse_of_noise_raises_nothing_but_invalid_rule(text: str) -> None:
    _parse_or_refuse(text)


@many
@given(rule=rule_texts(), seed=st.integers(0, 2**32))
def test_parse_of_damaged_rules_raises_nothing_but_invalid_rule(rule: str, seed: int) -> None:
    chance = random.Random(seed)
    text = list(f"DTSTART;TZID=Europe/Berlin:20260329T023000\r\nRRULE:{rule}\r\nEXDATE:20260401T003000Z")
    for _ in range(chance.randint(1, 6)):
        index = chance.randrange(len(text))
        text[index : index + chance.randint(0, 3)] = chance.choices(
            "=;:,-+019ZT\n MOFRBY", k=chance.randint(0, 3)
        )
    _parse_or_refuse("".join(text))


def _parse_or_refuse(text: str) -> None:
    try:
        recurrence = Recurrence.parse(text, anchor=ANCHOR)
    except InvalidRule as error:
        refusal = error
    else:
        assert Recurrence.parse(recurrence.text) == recurrence
        recurrence.after(NOW)
        assert recurrence.describe()
        recurrence.lint()
        return
    assert refusal.part
    assert refusal.position is None or 0 <= refusal.position <= len(text)


def test_long_rules_that_are_all_unlike_leave_nothing_behind() -> None:
    def held_after_reading(skipped: int) -> int:
        for first in range(1, 301):
            days = ",".join(str(day) for day in range(1, 367) if not first <= day < first + skipped)
            text = f"DTSTART:20260101T000000Z\nRRULE:FREQ=YEARLY;BYYEARDAY={days}"
            assert Recurrence.parse(text).after(NOW) is not None
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = held_after_reading(1)  # what is kept of a few hundred rules is full then
        assert held_after_reading(2) - before < 500_000
    finally:
        tracemalloc.stop()
