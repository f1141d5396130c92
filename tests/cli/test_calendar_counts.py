"""`preview --calendar` of dense rules: every day is counted, or said not to be."""

import json
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rrcli.cli.month_calendar import Days, steady_step
from rrcli.core.exclusions import NOTHING
from rrcli.core.recurrence import Recurrence
from tests.cli.conftest import NOW


def test_a_rule_that_fires_each_second_is_counted_to_the_end(run):
    days = json.loads(run("preview", "--every", "1s", "--calendar", "-o", "json", "--tz", "UTC").out)
    assert [day["count"] for day in days[1:]] == [86_400] * (len(days) - 1)
    assert days[-1]["date"] == "2027-04-30"
    assert run("preview", "--every", "1s", "--calendar").err == "as RRULE: FREQ=SECONDLY\n"


def test_what_is_too_much_to_count_is_marked_and_months_after_it_are_not_drawn(run, monkeypatch):
    monkeypatch.setattr("rrcli.cli.month_calendar.MOST_COUNTED", 20_000)
    line = ("preview", "--rrule", "FREQ=SECONDLY;BYHOUR=9,10", "--calendar", "--tz", "UTC")
    result = run(*line)
    assert result.code == 0
    assert "The days from 2026-11-26 on are not counted" in result.err
    assert "November 2026" in result.out
    assert "December 2026" not in result.out
    assert "?: not counted" in result.out
    assert result.out.count("?") == 6  # 26 to 30 November, and the legend
    assert "14,400 so far" in result.out
    days = json.loads(run(*line, "-o", "json").out)
    assert [day["date"] for day in days] == ["2026-11-24", "2026-11-25"]


@pytest.mark.parametrize("rule", ["FREQ=HOURLY;INTERVAL=5", "FREQ=MINUTELY;INTERVAL=7", "FREQ=HOURLY"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("shown", ["Europe/Berlin", "Asia/Kolkata", "America/Sao_Paulo"])
def test_reckoning_gives_what_counting_one_by_one_gives(rule, zone, shown):
    start, stop = datetime(2026, 2, 20, 5, 13, tzinfo=UTC), datetime(2026, 11, 20, 7, tzinfo=UTC)
    recurrence = Recurrence.parse(rule, timezone=zone, anchor=datetime(2026, 2, 27, 3, 4, 5, tzinfo=UTC))
    assert steady_step(recurrence)
    days = Days(ZoneInfo(shown))
    days.count(recurrence, NOTHING, start, stop)
    one_by_one = Counter(
        each.astimezone(ZoneInfo(shown)).date() for each in recurrence.occurrences(after=start, before=stop)
    )
    assert +days.runs == one_by_one


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=HOURLY;COUNT=9", "FREQ=MINUTELY;BYHOUR=9"])
def test_only_steady_rules_are_reckoned(rule):
    assert steady_step(Recurrence.parse(rule, anchor=NOW)) is None
