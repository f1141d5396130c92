"""Looking at the ledger."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from rrcli.core.ids import occurrence_id
from rrcli.core.models import Attempt, Event, EventState, Span, Status
from rrcli.repository.sqlite import SqliteRepository
from tests.cli.conftest import NOW


@pytest.fixture
def story(create, tmp_path: Path) -> Event:
    """An event that failed after three attempts, in the archive, of a schedule named job."""
    schedule_id = create("job", "--at", "2030-01-01T00:00:00Z")
    begin = NOW - timedelta(hours=1)
    ready = Status(time=begin, status=EventState.READY, message="Event pre-queued for ready queue")
    attempts = (
        Attempt(time=begin, duration_ms=123.4, status_code=500, response="oh\x1b[31m\n[bold]no[/bold]"),
        Attempt(time=begin, duration_ms=5, status_code=503),
        Attempt(time=begin, duration_ms=5, error="the connection was refused"),
    )
    event = Event(
        id=occurrence_id(schedule_id, begin),
        schedule_id=schedule_id,
        run_time=begin,
        due=begin,
        revision=1,
        status=(ready,),
        created_at=begin,
    )
    failed = replace(
        event.moved(
            EventState.ERROR, NOW, "Gave up after 3 attempts, and says so in a sentence that is long"
        ),
        attempts=attempts,
        lateness_ms=3400.0,
    )
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        repository.events.add([event])
        repository.events.archive([failed], NOW)
    return failed


def test_pending_lists_what_waits_next_first(run, create):
    create("job", rule="FREQ=MINUTELY")
    lines = run("events", "pending", "job").out.splitlines()
    assert lines[0].split() == ["ID", "RUN", "TIME", "(UTC)", "WHEN", "STATE", "MESSAGE"]
    assert "2026-11-23 12:00:00  now" in lines[1]
    assert "2026-11-23 12:01:00  in 1 m" in lines[2]
    assert "ready_queue" in lines[1]
    assert len(lines) == 11


def test_all_schedules_are_listed_with_their_names(run, create):
    create("one", "--at", "+1m")
    create("two", "--at", "+2m")
    lines = run("events", "pending").out.splitlines()
    assert "SCHEDULE" in lines[0]
    assert " one " in lines[1]
    assert " two " in lines[2]


def test_local_time_has_its_column_where_it_differs(run, create):
    create("job", "--at", "+1m")
    out = run("events", "pending", "job", "--tz", "Asia/Kolkata").out
    assert "2026-11-23 12:01:00  11-23 17:31:00" in out


def test_history_shows_outcome_tries_code_lateness_and_message(run, story):
    out = run("events", "history", "job").out
    assert "1 h ago" in out
    for part in ("error", "3", "—", "3.4 s", "Gave up after 3 attempts"):
        assert part in out


def test_limit_and_page(run, create):
    create("job", rule="FREQ=MINUTELY")
    ids = run("events", "pending", "job", "-o", "ids").out.splitlines()
    assert run("events", "pending", "job", "--limit", "3", "-o", "ids").out.splitlines() == ids[:3]
    assert run("events", "pending", "--limit", "3", "--page", "2", "-o", "ids").out.splitlines() == ids[3:6]
    assert "No events on page 9" in run("events", "pending", "--page", "9").err


def test_show_tells_the_whole_story(run, story):
    out = run("events", "show", story.id[:14]).out
    assert f"Event {story.id}  error" in out
    for part in ("schedule  job", "lateness  3.4 s", "Timeline", "Attempt 3", "no answer", "500", "123 ms"):
        assert part in out
    assert "the connection was refused" in out


def test_what_a_receiver_answered_cannot_steer_the_terminal(run, story):
    out = run("events", "show", story.id).out
    assert "\x1b" not in out
    assert "oh\\x1b[31m" in out
    assert "[bold]no[/bold]" in out


def test_a_long_message_of_the_timeline_goes_on_below(run, story, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = run("events", "show", story.id).out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "that is\n" in out or "is long" in out


def test_a_run_of_skipped_occurrences_says_how_many(run, story, tmp_path):
    span = Span(first=NOW - timedelta(days=1), last=NOW - timedelta(hours=2), count=1234)
    skipped = replace(
        story,
        id=occurrence_id(story.schedule_id, span.first),
        status=(Status(time=NOW, status=EventState.SKIPPED, message="missed"),),
        attempts=(),
        span=span,
    )
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        repository.events.record_skips([skipped], NOW)
    assert (
        "1,234 occurrences, 2026-11-22 12:00:00Z to 2026-11-23 10:00:00Z"
        in run("events", "show", skipped.id).out
    )


def test_cancel_takes_a_waiting_event_out(run, create):
    create("job", "--at", "+1m")
    event = run("events", "pending", "-o", "ids").out.strip()
    assert run("events", "cancel", event[:16]).out.startswith(f"Cancelled {event}")
    assert run("events", "pending", "-o", "ids").out == ""
    again = run("events", "cancel", event, "-o", "json")
    assert again.code == 6
    assert json.loads(again.err)["error"]["code"] == "conflict"


def test_the_view_is_that_of_the_api(run, story):
    view = json.loads(run("events", "show", story.id, "-o", "json").out)
    assert view["_id"] == story.id
    assert [each["status_code"] for each in view["attempts"]] == [500, 503, None]
