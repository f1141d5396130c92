"""What `rrcli simulate` counts is what the daemons do."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rrcli.core.exclusions import NOTHING
from rrcli.core.models import ScheduleState
from rrcli.operations import calendars, changes, schedules
from rrcli.operations.context import Context
from rrcli.operations.manifest import read
from rrcli.operations.simulate import Simulation, planned, stored
from rrcli.settings import Settings
from rrcli_daemons.prequeuer import Prequeuer
from tests.support.clock import FakeClock
from tests.support.stores import NOON

HOLIDAY = "\r\n".join(
    (
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", "UID:1"),
        *("DTSTAMP:20260101T000000Z", "DTSTART;VALUE=DATE:20260303", "SUMMARY:Closed"),
        *("END:VEVENT", "END:VCALENDAR", ""),
    )
)
FIELDS = (
    {"rrule": "FREQ=MINUTELY;INTERVAL=7"},
    {"rrule": "FREQ=MINUTELY;INTERVAL=7"},
    {"rrule": "FREQ=HOURLY", "jitter_seconds": 900},
    {"rrule": "FREQ=MINUTELY;INTERVAL=10;BYHOUR=9,10", "timezone": "Asia/Kolkata"},
    {"rrule": "FREQ=HOURLY;BYMINUTE=30", "exclude_calendars": ["holidays"]},
    {"rrule": "FREQ=MINUTELY;COUNT=3"},
    {"rrule": "FREQ=SECONDLY;INTERVAL=45", "jitter_seconds": 30},
)


def declared(*lines: str):
    items = [f"- {{name: s{number}, callback_url: 'http://h/', {line}}}" for number, line in enumerate(lines)]
    text = "\n".join(items)
    return read([("f.yaml", text)], now=NOON, environment={})


def simulated(*lines: str, days: int = 1, jitter: float | None = None) -> Simulation:
    simulation = Simulation(NOON, days, jitter)
    for batch in planned(declared(*lines), Settings(), NOON):
        simulation.add(batch, {each.id: NOTHING for each in batch})
    return simulation


def test_the_ticks_of_the_prequeuer_queue_the_events_that_were_counted(
    context: Context, clock: FakeClock
) -> None:
    calendars.put(context, "holidays", HOLIDAY)
    for number, fields in enumerate(FIELDS):
        data = {"name": f"s{number}", "callback_url": "http://127.0.0.1:9/", **fields}
        schedules.create(context, data)
    paused = schedules.create(
        context, {"name": "p", "callback_url": "http://127.0.0.1:9/", "rrule": "FREQ=MINUTELY;INTERVAL=9"}
    )
    changes.pause(context, paused.id)

    simulation = Simulation(context.now(), 1)
    for batch in stored(context):
        simulation.add(batch, context.exclusions(batch))

    prequeuer = Prequeuer(context)
    while clock.now() < simulation.end:
        while (more := prequeuer.run_once(context.now())) is not None and more <= context.now():
            pass
        clock.advance(context.window)
    queued = context.repository.events.pending(None, limit=100_000).items
    real = Counter(each.due.replace(second=0, microsecond=0) for each in queued if each.due < simulation.end)

    assert simulation.load.total > 2000
    assert {minute: events for minute, events in simulation.load.minutes() if events} == real
    assert simulation.resting == 1


def test_jitter_changes_when_and_not_how_many():
    simulation = simulated(*["rrule: 'FREQ=DAILY;BYHOUR=20;BYMINUTE=0;BYSECOND=0'"] * 500, jitter=600)
    assert simulation.load.peak(1).events == 500
    assert simulation.smoothed is not None
    assert simulation.smoothed.total == 500
    assert simulation.smoothed.peak(1).events < 10
    assert 30 < simulation.smoothed.peak(60).events < 80


def test_schedules_without_an_occurrence_in_these_days_are_told():
    simulation = simulated("rrule: FREQ=DAILY", "rrule: 'FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1'")
    assert (simulation.schedules, simulation.silent) == (2, 1)


def test_paused_ones_do_not_run():
    assert simulated("rrule: FREQ=DAILY, paused: true").resting == 1


def test_a_rule_that_another_program_broke_is_counted_and_left_out():
    (batch,) = planned(declared("rrule: FREQ=DAILY", "rrule: FREQ=DAILY"), Settings(), NOON)
    broken = replace(batch[0], rrule="FREQ=SOMETIMES", state=ScheduleState.ACTIVE)
    simulation = Simulation(NOON, 1)
    simulation.add([broken, batch[1]], {each.id: NOTHING for each in batch})
    assert (simulation.unreadable, simulation.load.total) == (1, 1)


def test_a_rule_of_every_second_is_counted_whole():
    assert simulated("rrule: FREQ=SECONDLY").load.sums(3600) == [3600] * 24


@pytest.mark.parametrize("minutes", [0, 1, 59])
def test_it_begins_with_the_hour(minutes):
    start = datetime(2026, 3, 2, 12, minutes, 7, tzinfo=UTC)
    simulation = Simulation(start, 2)
    assert simulation.start == NOON
    assert simulation.end == NOON + timedelta(days=2)
