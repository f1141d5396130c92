"""Calendar files in and out: events as schedules, schedules as events."""

import json

import pytest

from rrcli.operations.ics_import import tag_of

URL = ("--callback-url", "http://127.0.0.1:9/hook")
STAND_UP = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:standup@example.org
SUMMARY:Stand-up
DTSTART;TZID=Europe/Berlin:20261102T091500
RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR
EXDATE;TZID=Europe/Berlin:20261127T091500
END:VEVENT
BEGIN:VEVENT
UID:standup@example.org
RECURRENCE-ID;TZID=Europe/Berlin:20261130T091500
DTSTART;TZID=Europe/Berlin:20261130T140000
SUMMARY:Stand-up
END:VEVENT
BEGIN:VEVENT
UID:over
SUMMARY:Over
DTSTART:20200101T000000Z
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def imported(run):
    def call(text, *arguments):
        return run("schedule", "import", "-", *arguments, stdin=text.encode())

    return call


def listed(run):
    return json.loads(run("export", "-o", "json").out)["schedules"]


def coming(run, name):
    return run("preview", name, "-n", "4", "-o", "ids").out.split()


def test_events_become_schedules_and_a_second_time_changes_nothing(run, imported):
    result = imported(STAND_UP, *URL, "--tag", "team-a")
    assert result.code == 0, result.err
    assert result.err == "Left out: 1 event without an occurrence to come.\n1 created.\n"
    assert "+ create Stand-up\n" in result.out
    (made,) = listed(run)
    assert made["tags"] == ["team-a", "uid=standup@example.org"]
    assert made["callback_url"] == URL[1]
    assert coming(run, "Stand-up") == [
        "2026-11-25T08:15:00Z",
        "2026-11-30T13:00:00Z",
        "2026-12-02T08:15:00Z",
        "2026-12-04T08:15:00Z",
    ]
    assert imported(STAND_UP).out == "Nothing to do; 1 unchanged.\n"


def test_an_event_that_comes_again_changes_its_schedule(run, imported):
    imported(STAND_UP, *URL)
    result = imported(
        STAND_UP.replace("BYDAY=MO,WE,FR", "BYDAY=TU").replace("SUMMARY:Stand-up", "SUMMARY:Daily")
    )
    assert "~ change Daily\n" in result.out
    (made,) = listed(run)
    assert made["name"] == "Daily"
    assert made["callback_url"] == URL[1]
    assert coming(run, "Daily")[0] == "2026-11-24T08:15:00Z"


def test_a_cancelled_event_pauses_its_schedule(run, imported):
    cancelled = STAND_UP.replace(
        "SUMMARY:Stand-up\nDTSTART;TZID", "STATUS:CANCELLED\nSUMMARY:Stand-up\nDTSTART;TZID", 1
    )
    assert "2 events" in imported(cancelled, *URL).err
    imported(STAND_UP, *URL)
    assert "    is paused\n" in imported(cancelled).out
    assert listed(run)[0]["paused"] is True


def test_a_dry_run_makes_nothing(run, imported):
    assert "1 to create" in imported(STAND_UP, *URL, "--dry-run").out
    assert listed(run) == []


def test_new_ones_need_a_url(imported):
    result = imported(STAND_UP)
    assert result.code == 4
    assert "Say what they call: --callback-url URL" in result.err


@pytest.mark.parametrize("text", ["", "{}", "BEGIN:VCALENDAR\nEND:VCALENDAR\n"])
def test_what_is_no_calendar_is_refused(imported, text):
    assert imported(text, *URL).code == 4


def test_a_file_that_is_not_there_is_a_usage_error(run):
    assert run("schedule", "import", "missing.ics", *URL).code == 2


def test_a_uid_that_cannot_be_a_tag_is_kept_as_its_hash():
    assert tag_of("a@b") == "uid=a@b"
    for uid in ("with blank", "x" * 61, "a,b"):
        assert len(tag_of(uid)) == 36


def test_an_export_comes_back_to_the_same_schedules(run, imported, create):
    create("job", "--timezone", "Europe/Berlin", rule="FREQ=DAILY;BYHOUR=8;BYMINUTE=0;BYSECOND=0")
    imported(STAND_UP, *URL)
    before = {name: coming(run, name) for name in ("job", "Stand-up")}
    text = run("schedule", "export", "--format", "ics").out
    assert "UID:standup@example.org" in text
    result = imported(text)
    assert result.code == 0, result.err
    assert "to create" not in result.out
    assert {name: coming(run, name) for name in ("job", "Stand-up")} == before
    assert len(listed(run)) == 2


def test_rules_that_calendars_do_not_share_are_said_to_be_listed(run, create):
    create("hourly")
    result = run("schedule", "export", "hourly", "--format", "ics")
    assert "only their next occurrences are in it: hourly." in result.err
