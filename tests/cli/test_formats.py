"""Every output format can be read back, and holds the same."""

import csv
import io
import json

import pytest
import yaml

COMMANDS = [
    ["schedule", "list"],
    ["schedule", "show", "job"],
    ["events", "pending", "job"],
    ["events", "history"],
    ["preview", "job", "-n", "3"],
    ["status"],
    ["config", "show"],
    ["schedule", "pause", "job"],
    ["schedule", "trigger", "job"],
    ["schedule", "update", "job", "--method", "PUT"],
]


@pytest.fixture(autouse=True)
def _job(create):
    create("job", "--tag", "a", "--tag", "b", "--body", "one\ntwo", "-H", "X-A: 1", rule="FREQ=MINUTELY")


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_json_jsonl_yaml_and_csv_hold_the_same(run, arguments):
    expected = json.loads(run(*arguments, "-o", "json").out)
    rows = [expected] if isinstance(expected, dict) else expected
    if arguments[1:2] in (["trigger"], ["update"]):  # each run makes another record
        names = [list(row) for row in rows]
        assert [list(json.loads(line)) for line in run(*arguments, "-o", "jsonl").out.splitlines()] == names
        return
    assert [json.loads(line) for line in run(*arguments, "-o", "jsonl").out.splitlines()] == rows
    assert yaml.safe_load(run(*arguments, "-o", "yaml").out) == expected
    parsed = list(csv.DictReader(io.StringIO(run(*arguments, "-o", "csv").out)))
    assert len(parsed) == len(rows)
    for shown, row in zip(parsed, rows, strict=True):
        for name, value in row.items():
            if isinstance(value, str):
                assert shown[name] == value


def test_ids_are_full_ids_one_a_line(run, create):
    other = create("other")
    ids = run("schedule", "list", "-o", "ids").out.splitlines()
    assert len(ids) == 2
    assert other in ids
    assert all(len(each) == 24 for each in ids)
    assert len(run("events", "pending", "job", "-o", "ids").out.splitlines()[0]) == 24


def test_ids_of_a_preview_are_the_instants(run):
    out = run("preview", "--rrule", "FREQ=DAILY;COUNT=2", "-o", "ids").out
    assert out == "2026-11-23T12:00:00Z\n2026-11-24T12:00:00Z\n"


def test_nothing_to_list_is_an_empty_list_or_nothing(run):
    assert run("schedule", "list", "--name", "none", "-o", "json").out == "[]\n"
    assert run("schedule", "list", "--name", "none", "-o", "yaml").out == "[]\n"
    for form in ("jsonl", "csv", "ids", "table"):
        assert run("schedule", "list", "--name", "none", "-o", form).out == ""


def test_the_format_may_stand_before_or_after_the_command(run):
    assert run("-o", "ids", "schedule", "list").out == run("schedule", "-o", "ids", "list").out
    assert run("schedule", "list", "-o", "json", "-o", "ids").out == run("schedule", "list", "-oids").out


def test_secrets_and_header_values_are_masked(run, create):
    secret = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
    create("hidden", "-H", "Authorization: Bearer hunter2", "--secret", secret)
    for form in ("json", "yaml", "csv", "table"):
        out = run("schedule", "show", "hidden", "-o", form).out
        assert "hunter2" not in out
        assert secret not in out
        assert "Authorization" in out


def test_csv_says_true_and_false_as_json_does_and_nothing_for_null(run):
    (row,) = csv.DictReader(io.StringIO(run("schedule", "show", "job", "-o", "csv").out))
    assert (row["follow_redirects"], row["state_reason"]) == ("false", "")
    assert row["tags"] == '["a", "b"]'
