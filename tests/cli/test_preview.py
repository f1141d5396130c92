"""When a rule runs, shown without storing anything."""

import json

import pytest

from rrcli.cli.state import State

HALF_PAST_TWO = "FREQ=DAILY;BYHOUR=2;BYMINUTE=30;BYSECOND=0"


def rows(run, *arguments):
    result = run("preview", *arguments, "-o", "json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_a_numbered_table_with_utc_local_weekday_and_how_long_until_then(run):
    out = run("preview", "--rrule", HALF_PAST_TWO, "--timezone", "Europe/Berlin", "-n", "2").out
    assert out == (
        "#  UTC                   EUROPE/BERLIN               DAY  WHEN\n"
        "1  2026-11-24 01:30:00Z  2026-11-24 02:30:00 +01:00  Tue  in 13 h 30 m\n"
        "2  2026-11-25 01:30:00Z  2026-11-25 02:30:00 +01:00  Wed  in 1 d 13 h\n"
    )


def test_one_time_column_is_enough_in_utc(run):
    out = run("preview", "--rrule", HALF_PAST_TWO, "-n", "1").out
    assert out.splitlines()[0] == "#  UTC                   DAY  WHEN"


def test_tz_only_changes_how_it_is_shown(run):
    (shown,) = rows(run, "--rrule", HALF_PAST_TWO, "-n", "1", "--tz", "Asia/Kolkata")
    assert shown["utc"] == "2026-11-24T02:30:00Z"
    assert shown["local"] == "2026-11-24T08:00:00+05:30"
    assert (shown["timezone"], shown["weekday"]) == ("Asia/Kolkata", "Tuesday")


def test_a_time_that_the_clocks_skip_is_marked(run):
    found = rows(
        run,
        *("--rrule", HALF_PAST_TWO, "--timezone", "Europe/Berlin"),
        *("--after", "2027-03-27", "-n", "3"),
    )
    assert [each["note"] for each in found] == [None, "moved: no 02:30 today", None]
    assert found[1]["local"] == "2027-03-28T03:30:00+02:00"


def test_a_time_that_comes_twice_is_marked(run):
    found = rows(
        run,
        *("--rrule", HALF_PAST_TWO, "--timezone", "Europe/Berlin"),
        *("--after", "2027-10-30", "-n", "3"),
    )
    assert [each["note"] for each in found] == [None, "first of two 02:30", None]


def test_a_rule_that_means_the_later_time_is_not_marked(run):
    rule = "FREQ=DAILY;BYHOUR=3;BYMINUTE=30;BYSECOND=0"
    found = rows(run, "--rrule", rule, "--timezone", "Europe/Berlin", "--after", "2027-03-27", "-n", "3")
    assert [each["note"] for each in found] == [None, None, None]


def test_after_and_before_bound_it(run):
    found = rows(
        run,
        *("--rrule", "FREQ=DAILY", "--dtstart", "2027-01-01T00:00:00Z"),
        *("--after", "2027-01-10T00:00:00Z", "--before", "2027-01-12T00:00:00Z"),
    )
    assert [each["utc"] for each in found] == ["2027-01-10T00:00:00Z", "2027-01-11T00:00:00Z"]


def test_a_date_is_midnight_on_the_shown_clock(run):
    rule = ("--rrule", "FREQ=HOURLY", "--dtstart", "2027-01-01T00:00:00Z")
    (found,) = rows(run, *rule, "--after", "2027-01-10", "-n", "1", "--tz", "Asia/Tokyo")
    assert found["utc"] == "2027-01-09T15:00:00Z"


def test_no_occurrence_is_said_and_is_no_failure(run):
    result = run("preview", "--rrule", "FREQ=DAILY;COUNT=1", "--after", "2030-01-01")
    assert (result.code, result.out) == (0, "")
    assert "No occurrence from 2030-01-01 00:00:00 +00:00 on." in result.err


def test_an_end_before_the_beginning_is_refused(run):
    result = run("preview", "--rrule", "FREQ=DAILY", "--after", "2027-03-01", "--before", "2027-02-01")
    assert result.code == 4
    assert "--before: must be later than 2027-03-01 00:00:00" in result.err


@pytest.mark.parametrize("option", ["--after", "--before"])
def test_what_is_no_time_is_answered_with_all_that_is_one(run, option):
    result = run("preview", "--rrule", "FREQ=DAILY", option, "yesterday")
    assert result.code == 4
    assert "or 2025-01-05T12:00, a date, now, or +10m" in " ".join(result.err.split())


@pytest.mark.parametrize("limit", ["0", "1001", "-1"])
def test_a_limit_out_of_bounds_is_refused(run, limit):
    result = run("preview", "--rrule", "FREQ=DAILY", "-n", limit)
    assert result.code == 4
    assert "--limit: must be a whole number from 1 to 1000" in result.err


def test_a_schedule_is_shown_by_name(run, create):
    create("job", "--timezone", "Europe/Berlin", rule=HALF_PAST_TWO)
    assert rows(run, "job", "-n", "1")[0]["local"] == "2026-11-24T02:30:00+01:00"
    assert run("preview", "job", "--timezone", "UTC").code == 2


def test_a_paused_schedule_is_shown_with_a_remark(run, create):
    create("job")
    run("schedule", "pause", "job")
    result = run("preview", "job")
    assert "paused" in result.err
    assert len(result.out.splitlines()) == 11


def test_a_rule_needs_neither_settings_nor_store(run, monkeypatch):
    monkeypatch.setattr(State, "loaded", property(lambda _self: pytest.fail("settings were read")))
    assert run("preview", "--rrule", "FREQ=DAILY").code == 0


def test_a_rule_is_read_from_a_file(run, tmp_path):
    (tmp_path / "rule.txt").write_text(
        "DTSTART:20270101T000000Z\nRRULE:FREQ=YEARLY\nEXDATE:20280101T000000Z\n"
    )
    assert [each["utc"][:4] for each in rows(run, "--rrule", "@rule.txt", "-n", "2")] == ["2027", "2029"]


def test_the_remark_on_a_gap_is_whole_at_80_columns(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    rule = ("--rrule", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30;BYSECOND=0", "--timezone", "Europe/Berlin")
    out = run("preview", *rule, "--after", "2027-03-27", "-n", "3").out
    assert "moved: no 02:30 today" in out
    assert "…" not in out
