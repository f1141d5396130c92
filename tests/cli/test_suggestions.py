"""`Did you mean`: for commands, options, values and names that do not exist."""

import pytest


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("evnts", "'events'"),
        ("hstory", "'events history'"),
        ("pasue", "'schedule pause'"),
        ("list", "'schedule list', 'calendar list' or 'apikey list'"),
        ("schedule lst", "'list'"),
        ("schedule ls", "'list'"),
        ("schedule history", "'rrcli events history'"),
        ("events list", "'pending' or 'history'"),
        ("schedule rm", "'delete'"),
        ("start", "'up'"),
    ],
)
def test_a_command_that_does_not_exist_is_met_with_the_one_that_was_meant(run, line, meant):
    result = run(*line.split())
    assert result.code == 2
    assert f"Did you mean {meant}?" in result.err


def test_a_command_like_no_other_gets_no_suggestion(run):
    assert run("qqqq").err.startswith("Error: No such command 'qqqq'.\n")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("schedule list --stat paused", "--state"),
        ("preview --evry 1h", "--every"),
        ("schedule create --url http://x", "--callback-url"),
    ],
)
def test_an_option_that_does_not_exist_is_met_with_the_nearest_one(run, line, meant):
    result = run(*line.split())
    assert result.code == 2
    assert f"Did you mean '{meant}'?" in result.err


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("schedule create report --every 1h", "--name report"),
        ("apikey create grafana", "--name grafana"),
        ("apply schedules.yaml", "-f schedules.yaml"),
    ],
)
def test_a_word_where_an_option_is_missing_is_met_with_that_option(run, line, meant):
    result = run(*line.split())
    assert result.code == 2
    assert f"Did you mean '{meant}'?" in result.err


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("schedule list --state activ", "active"),
        ("schedule list -o jsn", "json"),
        ("events watch --state complete", "completed"),
        ("events watch --state super", "superseded"),
        ("completion bsh", "bash"),
        ("apikey create --name a --scope reed", "read"),
        ("export --format yml", "yaml"),
    ],
)
def test_a_value_that_is_none_of_the_choices_is_met_with_the_nearest_one(run, line, meant):
    result = run(*line.split())
    assert result.code == 2
    assert "is not one of " in result.err
    assert f"Did you mean {meant}?" in result.err


def test_a_schedule_name_that_does_not_exist_is_met_with_the_nearest_one(run, create):
    create("nightly-report")
    result = run("schedule", "show", "nighty-report")
    assert result.code == 3
    assert "Did you mean 'nightly-report'?" in result.err


def test_a_time_zone_that_does_not_exist_is_met_with_the_one_of_that_city(run):
    for typed in ("Berln", "europe/berln", "Europe/Berlim"):
        result = run("preview", "--every", "1h", "--tz", typed)
        assert result.code == 2
        assert "Did you mean Europe/Berlin?" in result.err


def test_a_missing_choice_is_told_on_one_line(run):
    assert run("completion").err.splitlines()[0] == (
        "Error: Missing argument 'SHELL'. It is one of bash, zsh, fish."
    )


def test_the_hint_names_the_command_whose_help_helps(run):
    assert "Hint: rrcli schedule create --help" in run("schedule", "create", "--name").err


def test_a_second_schedule_of_a_name_is_remarked_upon(run, create):
    first = create("job")
    line = ("schedule", "create", "--name", "job", "--every", "1h", "--callback-url", "http://127.0.0.1:9/")
    result = run(*line)
    assert result.code == 0
    assert f"There is another one of this name: {first}." in result.err


def test_the_ends_of_a_range_are_named_as_options(run, create):
    create("job")
    assert "--from: must be a time" in run("schedule", "replay", "job", "--from", "x", "--to", "now").err
    assert "--to: must be a time" in run("schedule", "audit", "job", "--to", "x").err


def test_of_two_of_one_name_the_id_is_asked_for(run, create):
    create("digest")
    create("digest")
    result = run("schedule", "show", "digest")
    assert result.code == 6
    assert "Give the id, or the beginning of it." in result.err
