"""`schedule skip`, `unskip`, `move`, `calendar` and `events verify` on the command line."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from rrcli.core.models import Event, EventState, Schedule, Status
from rrcli.core.request import build
from tests.cli.conftest import NOW, Run
from tests.support.clock import FakeClock

ICS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Thanksgiving
DTSTART;VALUE=DATE:20261126
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Freeze
DTSTART:20261123T130000Z
DTEND:20261123T150000Z
END:VEVENT
END:VCALENDAR
"""
SECRET = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

Create = Callable[..., str]


def shown(run: Run, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run("schedule", "show", name, "-o", "json").out)
    return found


def test_skip_and_unskip(run: Run, create: Create) -> None:
    create("report", rule="DTSTART:20261123T123000Z\nRRULE:FREQ=HOURLY")
    result = run("schedule", "skip", "report", "--count", "2", "--reason", "closed")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Skipped 2 occurrences of report")
    assert "Skipped by hand: closed" in result.out
    assert shown(run, "report")["next_run"] == "2026-11-23T14:30:00Z"
    assert "2026-11-23 12:30" in run("schedule", "show", "report").out

    assert run("schedule", "unskip", "report").code == 0
    assert shown(run, "report")["next_run"] == "2026-11-23T12:30:00Z"
    assert run("schedule", "unskip", "report", "--all").code == 0
    assert shown(run, "report")["skips"] == []
    assert run("schedule", "unskip", "report").code == 6


def test_times_are_on_the_clock_of_the_schedule(run: Run, create: Create) -> None:
    create("b", "--timezone", "Europe/Berlin", rule="DTSTART:20261123T153000\nRRULE:FREQ=DAILY")
    assert run("schedule", "skip", "b", "--at", "2026-11-24T15:30").code == 0
    moved = run("schedule", "move", "b", "--at", "2026-11-25T15:30", "--to", "2026-11-25T16:00")
    assert moved.code == 0
    assert moved.out.startswith("Moved 2026-11-25 15:30:00 +01:00 to 2026-11-25 16:00:00 +01:00 of b ")
    assert shown(run, "b")["skips"] == [
        {"run_time": "2026-11-24T14:30:00Z", "reason": None, "moved_to": None},
        {"run_time": "2026-11-25T14:30:00Z", "reason": None, "moved_to": "2026-11-25T15:00:00Z"},
    ]
    notes = [row["excluded"] for row in json.loads(run("preview", "b", "-n", "4", "-o", "json").out)]
    assert notes == [None, "Skipped by hand", "Moved by hand to 2026-11-25T15:00:00Z", None]


def test_what_is_no_occurrence_is_a_conflict_with_a_hint(run: Run, create: Create) -> None:
    create("report", rule="DTSTART:20261123T123000Z\nRRULE:FREQ=HOURLY")
    result = run("schedule", "skip", "report", "--at", "2026-11-23T12:31:00Z")
    assert result.code == 6
    assert "The next one after it is 2026-11-23T13:30:00Z." in result.err
    assert run("schedule", "skip", "report", "--if-match", "9").code == 6


def test_a_calendar_from_import_to_delete(run: Run, create: Create, tmp_path: Path) -> None:
    file = tmp_path / "us.ics"
    file.write_text(ICS)
    assert run("calendar", "import", str(file)).out == "Imported us: 1 day and 1 time\n"
    assert run("calendar", "import", str(file)).code == 6
    assert run("calendar", "import", "-", "--name", "us", "--replace", stdin=ICS.encode()).code == 0
    assert run("calendar", "list", "-o", "ids").out == "us\n"
    assert "Thanksgiving" in run("calendar", "show", "us").out
    create("report", "--exclude-calendar", "us", rule="DTSTART:20261123T123000Z\nRRULE:FREQ=HOURLY")
    table = run("schedule", "show", "report").out
    assert "Holiday: Freeze, calendar us" in table
    assert run("calendar", "delete", "us").code == 6
    assert run("calendar", "delete", "us", "--force").code == 0
    assert shown(run, "report")["exclude_calendars"] == []
    assert run("calendar", "show", "us").code == 3


def test_a_calendar_that_is_none_is_invalid_input(run: Run, create: Create) -> None:
    assert run("calendar", "import", "-", "--name", "x", stdin=b"hello").code == 4
    assert run("calendar", "import", "-", stdin=ICS.encode()).code == 2
    assert run("calendar", "import", "nowhere.ics").code == 2
    result = run("schedule", "create", "--name", "a", "--at", "+1h", "--callback-url", "http://127.0.0.1:9/",
                 "--exclude-calendar", "none")  # fmt: skip
    assert result.code == 4
    assert "rrcli calendar list" in result.err


def captured() -> bytes:
    schedule = Schedule(
        id="0" * 24, name="s", rrule="", callback_url="http://127.0.0.1:9/", body="{}", secrets=(SECRET,),
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    status = (Status(time=NOW, status=EventState.READY, message=""),)
    event = Event(
        id="1" * 24, schedule_id=schedule.id, run_time=NOW, due=NOW, revision=1, status=status, created_at=NOW
    )
    made = build(schedule, event, now=NOW)
    return json.dumps({"headers": dict(made.headers), "body": "{}"}).encode()


def test_a_captured_request_is_valid_or_what_is_wrong_is_said(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_bytes(captured())
    good = run("events", "verify", "--secret", SECRET, str(file))
    assert (good.code, good.out) == (0, "valid\n")
    other = "whsec_" + "B" * 43 + "="
    bad = run("events", "verify", "--secret", other, "-", stdin=captured())
    assert bad.code == 1
    assert bad.out.startswith("not valid: signature: made with another secret")
    assert run("events", "verify", "--secret", other, "--secret", SECRET, str(file)).code == 0
    assert run("events", "verify", "--secret", "abc", str(file)).code == 2
    assert run("events", "verify", "--secret", SECRET, "-", stdin=b"{").code == 4
    assert run("events", "verify", "--secret", SECRET, str(tmp_path)).code == 2


def test_an_old_request_is_valid_within_the_tolerance(run: Run, clock: FakeClock, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_bytes(captured())
    clock.advance(timedelta(minutes=6))
    late = run("events", "verify", "--secret", SECRET, str(file))
    assert (late.code, late.out) == (
        1,
        "not valid: timestamp: too old, by 60 s beyond the tolerance of 300 s\n",
    )
    assert run("events", "verify", "--secret", SECRET, "--tolerance", "10m", str(file)).code == 0
