"""`rrcli events replay`, `schedule replay`, `schedule audit`, `events why`."""

import json
from datetime import timedelta

import pytest

from rrcli.core.models import EventState
from rrcli.repository.sqlite import SqliteRepository
from tests.cli.conftest import NOW, on_terminal

FROM_TO = ("--from", "2026-11-23T11:00:00Z", "--to", "2026-11-23T12:00:00Z")
PAST = "DTSTART:20261123T110000Z\nRRULE:FREQ=MINUTELY"


@pytest.fixture
def ended(create, tmp_path):
    """A minutely schedule whose first event has failed; the event's id."""
    create("job", rule="FREQ=MINUTELY")
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        (first,) = repository.events.pending(None, limit=1).items
        repository.events.archive([first.moved(EventState.ERROR, NOW, "HTTP 500: gave up")], NOW)
        repository.queues.withdraw([first.id])
    return first.id


def test_an_event_is_replayed_once_unless_forced(run, ended):
    first = run("events", "replay", ended)
    assert (first.code, first.out[:11]) == (0, "Replayed as")
    again = run("events", "replay", ended)
    assert again.code == 0
    assert again.out.startswith("The same replay was made before: ")
    forced = json.loads(run("events", "replay", ended, "--force", "--new-id", "-o", "json").out)
    assert (forced["kind"], forced["replay_of"], forced["webhook_id"]) == ("replay", ended, forced["_id"])


def test_an_event_that_waits_is_not_replayed(run, create):
    create("job", rule="FREQ=MINUTELY")
    event = json.loads(run("events", "pending", "-o", "json").out)[0]["_id"]
    result = run("events", "replay", event)
    assert (result.code, "has not ended yet" in result.err) == (6, True)


def test_a_dry_run_shows_the_plan_and_changes_nothing(run, create):
    create("job", rule=PAST)
    before = run("events", "pending", "-o", "json").out
    shown = run("schedule", "replay", "job", *FROM_TO, "--dry-run").out
    assert shown.startswith("Would queue 60 events for 60 instants.")
    assert shown.count("backfill") == 60
    plan = json.loads(run("schedule", "replay", "job", *FROM_TO, "--dry-run", "-o", "json").out)
    assert (plan["dry_run"], plan["planned"], len(plan["events"])) == (True, 60, 60)
    lines = run("schedule", "replay", "job", *FROM_TO, "--dry-run", "-o", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == plan["events"]
    ids = run("schedule", "replay", "job", *FROM_TO, "--dry-run", "-o", "ids").out.split()
    assert ids == [each["event_id"] for each in plan["events"]]
    assert run("events", "pending", "-o", "json").out == before


def test_a_range_is_replayed_once(run, create):
    create("job", rule=PAST)
    first = run("schedule", "replay", "job", *FROM_TO, "--rate", "10/s")
    assert first.out == "Queued 60 events for 60 instants.\n"
    second = run("schedule", "replay", "job", *FROM_TO)
    assert second.out.splitlines() == [
        "Queued 0 events for 60 instants.",
        "         60  waiting or being called already",
    ]
    third = json.loads(run("schedule", "replay", "job", *FROM_TO, "-o", "json").out)
    assert (third["planned"], third["under_way"], third["dry_run"]) == (0, 60, False)


@pytest.mark.parametrize("rate", ["5", "0/s", "x/s", "5/d", "1e9/s", "-1/s"])
def test_a_wrong_rate_is_refused(run, create, rate):
    create("job", rule=PAST)
    assert run("schedule", "replay", "job", *FROM_TO, "--rate", rate).code == 2


def test_many_are_confirmed_on_a_terminal(create):
    create("job", rule="DTSTART:20200101T000000Z\nRRULE:FREQ=MINUTELY")
    line = ("schedule", "replay", "job", "--from", "2020-01-01T00:00:00Z", "--to", "2020-01-01T05:00:00Z")
    code, shown = on_terminal(*line, typed="n\n")
    assert code == 1
    assert "Call job 300 times? [y/N]" in shown
    assert "Nothing was replayed." in shown
    code, shown = on_terminal(*line, "--yes")
    assert (code, "Queued 300 events for 300 instants." in shown) == (0, True)


def test_the_audit_counts_and_lists(run, ended, clock):
    clock.advance(timedelta(minutes=5))
    result = run("schedule", "audit", "job")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[1].endswith("2026-11-22T12:05:00Z to 2026-11-23T12:05:00Z: 5 instants")
    assert lines[2].split() == ["ready_queue", "4"]
    assert lines[3].split() == ["error", "1"]
    assert "Nothing is missing." in result.out
    assert sum(line.startswith("2026-11-23 12:0") for line in lines) == 5
    problems = run("schedule", "audit", "job", "--problems").out
    (shown,) = [line.split() for line in problems.splitlines() if line.startswith("2026")]
    assert shown == ["2026-11-23", "12:00:00", "error", ended, "HTTP", "500:", "gave", "up"]


def test_a_missing_instant_is_exit_code_1(run, create, clock, tmp_path):
    create("job", rule="FREQ=MINUTELY")
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        repository.events.discard([repository.events.pending(None, limit=1).items[0].id])
    clock.advance(timedelta(minutes=2))
    result = run("schedule", "audit", "job")
    assert result.code == 1
    assert "1 instant has no entry." in result.out
    data = json.loads(run("schedule", "audit", "job", "-o", "json").out)
    assert (data["missing"], data["outcomes"]) == (1, {"missing": 1, "ready_queue": 1})
    assert [row["outcome"] for row in data["rows"]] == ["missing", "ready_queue"]
    lines = run("schedule", "audit", "job", "-o", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == data["rows"]
    assert run("schedule", "audit", "job", "-o", "csv").out.startswith("run_time,outcome,")
    assert run("schedule", "audit", "job", "-o", "yaml").code == 1
    assert run("schedule", "audit", "job", "-o", "ids").out.splitlines()[0] == "2026-11-23T12:00:00Z"


def test_an_audit_without_rows_is_still_json(run, create):
    create("job", rule="FREQ=DAILY")
    range_ = ("--from", "2026-11-01T00:00:00Z", "--to", "2026-11-02T00:00:00Z")
    data = json.loads(run("schedule", "audit", "job", *range_, "-o", "json").out)
    assert (data["instants"], data["rows"]) == (0, [])
    assert run("schedule", "audit", "job", "--from", "2026-11-02", "--to", "2026-11-01").code == 4


def test_more_rows_than_one_table_holds_go_on_below(run, create, monkeypatch):
    monkeypatch.setattr("rrcli.cli.audit.ROWS_AT_ONCE", 7)
    create("job", rule=PAST)
    out = run("schedule", "audit", "job", *FROM_TO).out
    assert out.count("RUN TIME") == 1
    assert sum(line.startswith("2026-11-23 11:") for line in out.splitlines()) == 60
    data = json.loads(run("schedule", "audit", "job", *FROM_TO, "-o", "json").out)
    assert len(data["rows"]) == 60


def test_a_terminal_sees_the_audit_with_its_width(create):
    create("job", rule="DTSTART:20200101T000000Z\nRRULE:FREQ=MINUTELY")
    range_ = ("--from", "2020-01-01T00:00:00Z", "--to", "2020-01-01T01:00:00Z")
    code, shown = on_terminal("schedule", "audit", "job", *range_, columns=80)
    assert code == 0
    assert "before creation" in shown


def test_why_tells_the_story_of_an_event(run, ended):
    out = run("events", "why", ended).out
    assert out.splitlines()[0] == f"Event {ended}  error"
    assert "job runs every minute" in out
    assert "Failed for good: HTTP 500: gave up." in out
    data = json.loads(run("events", "why", ended, "-o", "json").out)
    assert (data["state"], data["run_time"]) == ("error", "2026-11-23T12:00:00Z")


def test_why_tells_of_a_time_without_an_event(run, create):
    create("job", rule="FREQ=HOURLY")
    out = run("events", "why", "job", "--at", "2026-11-23T13:30:00Z").out
    assert out.splitlines()[0].startswith("job  no event at 2026-11-23 13:30:00")
    assert "The one after is 2026-11-23T14:00:00Z." in out
    assert run("events", "why", "job", "--at", "soon").code == 4
    assert run("events", "why", "nothing").code == 3
