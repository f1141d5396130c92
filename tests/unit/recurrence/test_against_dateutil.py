"""Equal to python-dateutil in UTC, wherever python-dateutil is right."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from types import FrameType

import dateutil.rrule
import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from rrcli.core.recurrence import Recurrence
from tests.unit.recurrence.examples import many

from .strategies import moments, rule_texts

LOOKED_AT = timedelta(days=1500)
MOST = 40


class Slow(BaseException):
    """The oracle walks too long: it is asked about something that (nearly) never happens."""


@contextmanager
def patience(seconds: float = 0.1) -> Iterator[None]:
    """Drops the example when the oracle has used that much processor time."""

    def interrupt(_: int, frame: FrameType | None) -> None:
        # Elsewhere, in a finalizer for one, the interpreter may swallow what is raised: the
        # alarm comes again until it meets the oracle's own code.
        if frame is not None and frame.f_code.co_filename == dateutil.rrule.__file__:
            raise Slow

    before = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.001)
    try:
        yield
    except Slow:
        reject()
    except ValueError:  # python-dateutil refuses some rules that never occur
        reject()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def oracle(rule: str, start: datetime, horizon: datetime) -> list[datetime]:
    """What python-dateutil finds up to `horizon`, at most `MOST`."""
    with patience():
        walk = takewhile(lambda time: time <= horizon, rrulestr(rule, dtstart=start))
        return list(islice(walk, MOST))
    return []


def differs_on_purpose(rule: str) -> bool:
    """Where python-dateutil departs from RFC 5545, as docs/recurrence.md lists it."""
    parts = dict(part.split("=") for part in rule.split(";"))
    if "BYWEEKNO" in parts:
        # All seven days of the week instead of DTSTART's; negative numbers are not found in
        # the days of New Year that belong to a week of the year before or after.
        return "BYDAY" not in parts or "-" in parts["BYWEEKNO"]
    # A partial first week counts from DTSTART instead of from WKST.
    return parts["FREQ"] == "WEEKLY" and "BYSETPOS" in parts


def horizon_of(rule: str, start: datetime) -> datetime:
    """Near for fine steps, since the oracle takes them one by one."""
    fine = {"SECONDLY": timedelta(hours=3), "MINUTELY": timedelta(days=6), "HOURLY": timedelta(days=200)}
    frequency = rule.split(";")[0].removeprefix("FREQ=")
    return start + fine.get(frequency, LOOKED_AT * 4)


@many
@given(rule=rule_texts(), start=moments(1998, 2012))
def test_finds_what_dateutil_finds(rule: str, start: datetime) -> None:
    assume(not differs_on_purpose(rule))
    frequency = rule.split(";")[0].removeprefix("FREQ=")
    if frequency in ("SECONDLY", "MINUTELY", "HOURLY") and "COUNT" in rule:
        rule = ";".join(part for part in rule.split(";") if not part.startswith("COUNT"))
    horizon = horizon_of(rule, start)
    expected = oracle(rule, start, horizon)
    end = horizon + timedelta(seconds=1)
    assert list(Recurrence.parse(rule, anchor=start).occurrences(before=end, limit=MOST)) == expected


@many
@given(rule=rule_texts(endings=False, positions=False), start=moments(1998, 2002), seed=st.integers(0, 10**6))
def test_jumps_to_where_dateutil_walks(rule: str, start: datetime, seed: int) -> None:
    assume(not differs_on_purpose(rule))
    assume(rule.split(";")[0].removeprefix("FREQ=") not in ("SECONDLY", "MINUTELY", "HOURLY"))
    recurrence = Recurrence.parse(rule, anchor=start)
    time = start + timedelta(hours=seed % 50_000)
    horizon = time + timedelta(days=1000)
    expected, last = [], None
    with patience():
        walked = rrulestr(rule, dtstart=start)
        expected = [found for found in walked.between(time, horizon, inc=True) if found < horizon]
        last = walked.before(time)
    assert recurrence.between(time, horizon, 100_000) == expected
    assert recurrence.before(time) == last


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;BYHOUR=1,3",
        "FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,-1",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
        "FREQ=DAILY;INTERVAL=17;BYMONTH=2,6;BYHOUR=0,23",
        "FREQ=HOURLY;INTERVAL=7;BYMONTHDAY=1,-1",
        "FREQ=MINUTELY;INTERVAL=90;BYHOUR=9,10,11,12;BYDAY=MO",
        "FREQ=SECONDLY;INTERVAL=45;BYMINUTE=0,30;BYHOUR=6",
    ],
)
def test_jumping_ahead_equals_walking_from_dtstart(rule: str) -> None:
    start = datetime(2001, 3, 4, 5, 6, 7, tzinfo=UTC)
    recurrence = Recurrence.parse(rule, anchor=start)
    walked = list(recurrence.occurrences(limit=400))
    for index in range(0, 399, 7):
        assert recurrence.after(walked[index]) == walked[index + 1]
        assert recurrence.before(walked[index + 1]) == walked[index]
        assert recurrence.after(walked[index], inclusive=True) == walked[index]
