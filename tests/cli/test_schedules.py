"""Creating, changing and looking at schedules."""

import json

import pytest

from tests.cli.conftest import on_terminal


def shown(run, reference):
    result = run("schedule", "show", reference, "-o", "json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_create_says_name_id_rule_and_the_next_three_occurrences(run):
    result = run(
        *("schedule", "create", "--name", "report", "--callback-url", "https://example.org/hook"),
        *("--rrule", "FREQ=DAILY;BYHOUR=8;BYMINUTE=30;BYSECOND=0", "--timezone", "Europe/Berlin"),
    )
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("Created report  ")
    assert len(lines[0].split()[-1]) == 24
    assert "2026-11-24 07:30:00Z  2026-11-24 08:30:00 +01:00  Tue  in 19 h 30 m" in lines[4]
    assert len(lines) == 7
    assert "\x1b" not in result.out


def test_every_option_reaches_its_field(run, create):
    secret = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
    create(
        *("full", "--dtstart", "2027-01-01T08:00:00", "--timezone", "Europe/Berlin", "--method", "put"),
        *("-H", "X-A: one", "--header", "X-B:two", "--body", "text", "--timeout", "1m30s"),
        *("--max-retries", "7", "--retry-base", "2", "--retry-factor", "3", "--retry-cap", "1h"),
        *("--misfire", "skip", "--misfire-grace", "5", "--misfire-window", "2h", "--overlap", "queue"),
        *("--jitter", "10", "--tag", "a", "--tag", "b", "--secret", secret, "--follow-redirects"),
        rule="FREQ=WEEKLY",
    )
    view = shown(run, "full")
    assert view["rrule"] == "DTSTART;TZID=Europe/Berlin:20270101T080000\nRRULE:FREQ=WEEKLY"
    assert view["timezone"] == "Europe/Berlin"
    assert view["method"] == "PUT"
    assert view["headers"] == {"X-A": "********", "X-B": "********"}
    assert view["body"] == "text"
    assert view["timeout_seconds"] == 90
    assert view["max_retries"] == 7
    assert view["retry"] == {"base_seconds": 2, "factor": 3, "cap_seconds": 3600}
    assert view["misfire"] == {"policy": "skip", "grace_seconds": 5, "window_seconds": 7200}
    assert (view["overlap"], view["jitter_seconds"]) == ("queue", 10)
    assert view["tags"] == ["a", "b"]
    assert view["secrets"] == ["********"]
    assert view["follow_redirects"] is True


@pytest.mark.parametrize(
    ("at", "zone", "next_run"),
    [
        ("2027-03-01T08:30:00Z", None, "2027-03-01T08:30:00Z"),
        ("2027-03-01T08:30:00+01:00", None, "2027-03-01T07:30:00Z"),
        ("2027-03-01T08:30", "Europe/Berlin", "2027-03-01T07:30:00Z"),
        ("2027-10-31T02:30:00+01:00", "Europe/Berlin", "2027-10-31T01:30:00Z"),
        ("+10m", None, "2026-11-23T12:10:00Z"),
        ("+1h30m", "Asia/Tokyo", "2026-11-23T13:30:00Z"),
    ],
)
def test_at_runs_once_at_that_instant(run, create, at, zone, next_run):
    create("once", "--at", at, *(["--timezone", zone] if zone else []))
    assert shown(run, "once")["next_run"] == next_run
    occurrences = json.loads(run("preview", "once", "-o", "json").out)
    assert [each["utc"] for each in occurrences] == [next_run]
    assert "once" in run("schedule", "list").out


@pytest.mark.parametrize("how", ["file", "stdin", "literal", "escaped"])
def test_a_rule_may_be_several_lines_from_anywhere(run, how, tmp_path):
    text = "DTSTART;TZID=Europe/Berlin:20270101T083000\nRRULE:FREQ=DAILY;COUNT=3\n"
    (tmp_path / "rule.txt").write_text(text)
    rule = {"file": "@rule.txt", "stdin": "-", "literal": text, "escaped": text.strip().replace("\n", "\\n")}
    result = run(
        *("schedule", "create", "--name", "x", "--callback-url", "http://127.0.0.1:9/"),
        *("--rrule", rule[how]),
        stdin=text.encode(),
    )
    assert result.code == 0, result.err
    assert shown(run, "x")["next_run"] == "2027-01-01T07:30:00Z"


@pytest.mark.parametrize("how", ["literal", "file", "stdin"])
def test_a_body_may_come_from_a_file_or_stdin(run, how, tmp_path):
    (tmp_path / "body.json").write_text('{"ü": 1}\n', encoding="utf-8")
    body = {"literal": '{"ü": 1}\n', "file": "@body.json", "stdin": "-"}[how]
    run(
        *("schedule", "create", "--name", "x", "--callback-url", "http://127.0.0.1:9/"),
        *("--rrule", "FREQ=DAILY", "--body", body),
        stdin='{"ü": 1}\n'.encode(),
    )
    assert shown(run, "x")["body"] == '{"ü": 1}\n'


def test_a_rule_of_the_past_makes_a_completed_schedule_and_says_so(run):
    rule = "DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;COUNT=3"
    result = run(
        *("schedule", "create", "--name", "x", "--callback-url", "http://127.0.0.1:9/", "--rrule", rule)
    )
    assert result.code == 0
    assert "it is completed" in result.out


def test_update_changes_what_is_given_and_nothing_else(run, create):
    create("job", "--tag", "a", "--body", "text", "--timezone", "Europe/Berlin")
    before = shown(run, "job")
    result = run("schedule", "update", "job", "--method", "PATCH", "--if-match", "1")
    assert result.code == 0
    assert result.out.startswith("Updated job")
    after = shown(run, "job")
    assert {name for name in after if after[name] != before[name]} == {"method", "revision"}


def test_update_merges_headers_and_clears_with_empty_values(run, create, capsys):
    create("job", "-H", "A: 1", "-H", "B: 2", "--tag", "a", "--method", "PUT", "--timezone", "Europe/Berlin")
    assert run("schedule", "update", "job", "-H", "b:", "-H", "C: 3").code == 0
    assert run("schedule", "update", "job", "--tag", "", "--method", "", "--timezone", "").code == 0
    view = shown(run, "job")
    assert set(view["headers"]) == {"A", "C"}
    assert (view["tags"], view["method"], view["timezone"]) == ([], "GET", None)


def test_update_of_dtstart_alone_keeps_the_rule(run, create):
    create("job", "--timezone", "Europe/Berlin", rule="FREQ=DAILY;INTERVAL=2")
    assert run("schedule", "update", "job", "--dtstart", "2027-02-01T09:00").code == 0
    view = shown(run, "job")
    assert view["rrule"] == "DTSTART;TZID=Europe/Berlin:20270201T090000\nRRULE:FREQ=DAILY;INTERVAL=2"


def test_update_with_nothing_to_change_is_a_usage_error(run, create):
    create("job")
    assert run("schedule", "update", "job").code == 2


def test_a_schedule_is_found_by_name_id_and_beginning_of_id(run, create):
    identity = create("job")
    for reference in ("job", identity, identity[:10]):
        assert shown(run, reference)["id"] == identity


def test_list_filters_and_pages(run, create):
    create("alpha", "--tag", "x")
    create("beta")
    create("Gamma", "--tag", "x")
    run("schedule", "pause", "beta")

    def names(*arguments):
        return [each["name"] for each in json.loads(run("schedule", "list", *arguments, "-o", "json").out)]

    assert sorted(names()) == ["Gamma", "alpha", "beta"]
    assert names("--state", "paused") == ["beta"]
    assert sorted(names("--tag", "x")) == ["Gamma", "alpha"]
    assert names("--name", "gam") == ["Gamma"]
    assert len(names("--limit", "2")) == 2
    assert len(names("--limit", "2", "--page", "2")) == 1
    assert "No schedules on page 3" in run("schedule", "list", "--limit", "2", "--page", "3").err


def test_show_tells_everything_and_what_comes_next(run, create):
    create("job", "-H", "X-A: hidden", "--tag", "a", "--body", "one\ntwo", rule="FREQ=MINUTELY")
    out = run("schedule", "show", "job").out
    assert out.startswith("job  active\n")
    for part in ("RRULE:FREQ=MINUTELY", "POST http://127.0.0.1:9/hook", "X-A: ********", "3, after 1 s × 2"):
        assert part in out
    assert "Next occurrences\n" in out
    assert "Waiting (5 of 10)" in out
    assert "hidden" not in out


def test_pause_resume_and_trigger(run, create):
    identity = create("job", rule="FREQ=MINUTELY")
    assert run("schedule", "pause", "job").out == f"Paused job  {identity}\n"
    assert run("events", "pending", "job", "-o", "ids").out == ""
    assert shown(run, "job")["state"] == "paused"
    assert run("schedule", "resume", "job").out == f"Resumed job  {identity}\n"
    assert shown(run, "job")["state"] == "active"
    event = run("schedule", "trigger", "job", "-o", "ids").out.strip()
    assert json.loads(run("events", "show", event, "-o", "json").out)["kind"] == "manual"
    assert "rrcli events show" in run("schedule", "trigger", "job").out


def test_delete_asks_on_no_terminal_without_yes(run, create):
    create("job")
    result = run("schedule", "delete", "job")
    assert result.code == 2
    assert "--yes" in result.err
    assert shown(run, "job")["name"] == "job"


def test_delete_with_yes_leaves_nothing(run, create):
    identity = create("job", rule="FREQ=MINUTELY")
    assert run("schedule", "delete", "job", "-y").out == f"Deleted job  {identity}\n"
    assert run("schedule", "show", identity).code == 3
    assert run("events", "pending", "-o", "ids").out == ""


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 1), ("\n", 1, 1)])
def test_delete_asks_on_a_terminal(run, create, answer, code, left):
    create("job")
    done, said = on_terminal("schedule", "delete", "job", typed=answer)
    assert done == code
    assert "Delete job (" in said
    assert len(run("schedule", "list", "-o", "ids").out.splitlines()) == left
