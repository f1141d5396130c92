"""--cron and --every: translated to a rule, which is shown; and the months of preview --calendar."""

import json

import pytest

URL = ("--callback-url", "http://127.0.0.1:9/hook")
AS_RULE = "as RRULE: FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=8;BYMINUTE=30;BYSECOND=0\n"


def rule_of(run, name):
    return json.loads(run("schedule", "show", name, "-o", "json").out)["rrule"]


def test_a_cron_line_makes_a_schedule_and_is_shown_as_a_rule(run):
    result = run(
        "schedule", "create", "--name", "job", *URL, "--cron", "30 8 * * 1-5", "--timezone", "Asia/Tokyo"
    )
    assert result.code == 0, result.err
    assert result.err == AS_RULE
    assert rule_of(run, "job").split("\n")[1] == (
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=8;BYMINUTE=30;BYSECOND=0"
    )


def test_an_interval_begins_now_or_at_dtstart(run):
    run("schedule", "create", "--name", "now", *URL, "--every", "90m")
    assert rule_of(run, "now") == "DTSTART:20261123T120000Z\nRRULE:FREQ=MINUTELY;INTERVAL=90"
    run("schedule", "create", "--name", "on", *URL, "--every", "90m", "--dtstart", "2026-11-24T00:00:00Z")
    assert rule_of(run, "on") == "DTSTART:20261124T000000Z\nRRULE:FREQ=MINUTELY;INTERVAL=90"


def test_an_update_takes_them_and_keeps_the_beginning(run, create):
    create("job", rule="FREQ=HOURLY")
    result = run("schedule", "update", "job", "--every", "2h")
    assert result.err == "as RRULE: FREQ=HOURLY;INTERVAL=2\n"
    assert rule_of(run, "job") == "DTSTART:20261123T120000Z\nRRULE:FREQ=HOURLY;INTERVAL=2"
    run("schedule", "update", "job", "--cron", "0 0 13 * FRI")
    assert rule_of(run, "job").count("RRULE:") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--cron", "0 0 31 2 *"), "--cron: never happens"),
        (("--every", "90"), "--every: must be whole numbers with their units"),
    ],
)
def test_what_is_no_rule_is_refused_by_the_option(run, arguments, message):
    for command in (("schedule", "create", "--name", "job", *URL), ("preview",)):
        result = run(*command, *arguments)
        assert result.code == 4
        assert message in result.err


def test_two_ways_of_saying_when_are_refused(run):
    result = run("preview", "--cron", "@daily", "--every", "5m")
    assert result.code == 2
    assert "--cron and --every do not go together" in result.err
    assert run("schedule", "create", "--name", "x", *URL, "--at", "+1h", "--cron", "@daily").code == 2
    assert "--rrule, --cron and --every" in run("preview").err


def test_preview_translates_too(run):
    result = run("preview", "--cron", "30 8 * * 1-5", "-n", "2", "-o", "ids")
    assert result.out == "2026-11-24T08:30:00Z\n2026-11-25T08:30:00Z\n"
    assert result.err == AS_RULE


ONE_A_DAY = """\
    November 2026           December 2026
Mo Tu We Th Fr Sa Su    Mo Tu We Th Fr Sa Su
                   1        1• 2• 3• 4• 5  6
 2  3  4  5  6  7  8     7• 8• 9•10•11•12 13
 9 10 11 12 13 14 15    14•15•16•17•18•19 20
16 17 18 19 20 21 22    21•22•23•24•25•26 27
23 24•25•26•27•28 29    28•29•30•31•
30•

•: runs; 28 in all
"""

SEVERAL_A_DAY = """\
       November 2026
 Mo  Tu  We  Th  Fr  Sa  Su
                          1

  2   3   4   5   6   7   8

  9  10  11  12  13  14  15

 16  17  18  19  20  21  22

 23  24  25  26  27  28  29
×12 ×24
 30


×: runs a day (k: thousands); 36 in all
"""


def test_months_stand_side_by_side_with_their_days_marked(run):
    result = run("preview", "--cron", "30 8 * * 1-5", "--calendar", "--before", "2027-01-01")
    assert result.out == ONE_A_DAY


def test_counts_stand_under_days_with_several(run):
    result = run("preview", "--every", "1h", "--calendar", "--before", "2026-11-25")
    assert result.out == SEVERAL_A_DAY


@pytest.mark.parametrize(("columns", "across"), [(20, 1), (80, 3), (200, 6)])
def test_as_many_months_as_fit(run, monkeypatch, columns, across):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = run("preview", "--every", "1d", "--calendar").out
    assert out.split("\n")[1].count("Mo") == across
    assert max(map(len, out.split("\n"))) <= max(columns, 21)


def test_days_are_those_of_the_shown_zone(run):
    rule = ("--rrule", "DTSTART:20261124T233000Z\nRRULE:FREQ=DAILY;COUNT=1")
    found = json.loads(run("preview", *rule, "--calendar", "-o", "json", "--tz", "Asia/Tokyo").out)
    assert found == [{"date": "2026-11-25", "count": 1, "excluded": 0}]


def test_excluded_days_are_marked(run, create):
    create("job", rule="FREQ=DAILY;BYHOUR=8;BYMINUTE=0;BYSECOND=0")
    run("schedule", "skip", "job")
    out = run("preview", "job", "--calendar", "--before", "2026-11-26").out
    assert "23 24x25•26 27 28 29" in out
    assert "•: runs, x: excluded; 1 in all" in out


def test_too_many_months_are_refused(run):
    assert run("preview", "--every", "1d", "--calendar", "--before", "2099-01-01").code == 2


def test_explain_says_the_rule_in_english_and_what_is_odd(run):
    result = run("preview", "--cron", "30 2 * * *", "--timezone", "Europe/Berlin", "--explain", "-n", "1")
    words, *lines = result.out.split("\n")
    assert words == "Every day at 02:30, Berlin time"
    assert lines[1] == "  RRULE:FREQ=DAILY;BYHOUR=2;BYMINUTE=30;BYSECOND=0"
    assert any(line.startswith("  ! removed-time: ") for line in lines)


def test_explain_as_json_is_what_rest_answers(run):
    found = json.loads(run("preview", "--every", "20s", "--explain", "-o", "json", "-n", "1").out)
    assert found["description"] == "every 20 seconds, UTC"
    assert [each["code"] for each in found["remarks"]] == ["no-dtstart", "dense"]
    assert len(found["occurrences"]) == 1


def test_a_rule_that_leaves_nothing_open_needs_no_dtstart(run):
    found = json.loads(run("preview", "--cron", "@daily", "--explain", "-o", "json").out)
    assert found["remarks"] == []


def test_a_dtstart_that_nobody_gave_is_not_odd(run, create):
    create("job", rule="FREQ=DAILY;BYHOUR=8;BYMINUTE=0;BYSECOND=0")
    assert json.loads(run("preview", "job", "--explain", "-o", "json").out)["remarks"] == []
    create("given", rule="DTSTART:20261124T090000Z\\nRRULE:FREQ=DAILY;BYHOUR=8;BYMINUTE=0;BYSECOND=0")
    (remark,) = json.loads(run("preview", "given", "--explain", "-o", "json").out)["remarks"]
    assert remark["code"] == "dtstart-not-an-occurrence"
