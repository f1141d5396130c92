"""`rrcli simulate`: the load that schedules will make."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import on_terminal

FILE = """
schedules:
  - {name: nightly, rrule: "FREQ=DAILY;BYHOUR=0;BYMINUTE=0;BYSECOND=0", callback_url: "http://h/"}
  - {name: morning, rrule: "FREQ=DAILY;BYHOUR=0;BYMINUTE=0;BYSECOND=0", callback_url: "http://h/${PATH_PART}"}
  - {name: poll, cron: "*/15 * * * *", callback_url: "http://h/"}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "schedules.yaml"
    path.write_text(FILE)
    return str(path)


def figures(run, *arguments, **options):
    result = run("simulate", *arguments, "-o", "json", **options)
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_a_table_of_peaks_and_a_picture(run, file):
    out = run("simulate", "-f", file, "--days", "2").out
    assert "3 schedules, 2 days from 2026-11-23 12:00:00 +00:00: 196 events" in out
    assert "the busiest second                   3  11-24 00:00:00" in out
    assert "Events per hour, UTC; █ is 6" in out
    assert out.splitlines()[-1].startswith("as is   █")


def test_it_fits_a_terminal_of_80_columns_with_all_that_there_is(file):
    code, shown = on_terminal("simulate", "-f", file, "--days", "31", "--jitter", "10m")
    assert code == 0
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown[shown.index("3 schedules") :])
    assert max(map(len, shown.splitlines())) <= 80
    assert "JITTER 10 m" in shown


def test_many_days_are_shown_as_weekdays(run, file):
    out = run("simulate", "-f", file, "--days", "60").out
    assert "Wed, mean " in out


def test_json_has_the_figures_and_every_minute(run, file):
    found = figures(run, "-f", file, "--days", "1", "--jitter", "0")
    assert found["as_scheduled"] == found["with_jitter"]
    assert found["as_scheduled"]["busiest_second"] == {"events": 3, "start": "2026-11-24T00:00:00Z"}
    assert found["as_scheduled"]["workers"] == 1
    assert len(found["minutes"]) == 1440
    assert found["minutes"][720] == {"minute": "2026-11-24T00:00:00Z", "events": 3, "with_jitter": 3}


def test_csv_has_a_line_a_minute(run, file):
    rows = list(csv.DictReader(io.StringIO(run("simulate", "-f", file, "--days", "1", "-o", "csv").out)))
    assert len(rows) == 1440
    assert sum(int(row["events"]) for row in rows) == 98


def test_longer_calls_need_more_workers(run, tmp_path):
    path = tmp_path / "many.yaml"
    one = '{name: n%d, rrule: "FREQ=DAILY;BYHOUR=0;BYMINUTE=0;BYSECOND=0", callback_url: "http://h/"}'
    path.write_text("\n".join(f"- {one % number}" for number in range(500)))
    slow = figures(run, "-f", str(path), "--days", "1", "--call-seconds", "10", "--max-late", "1")
    quick = figures(run, "-f", str(path), "--days", "1", "--call-seconds", "10ms", "--max-late", "1")
    assert slow["as_scheduled"]["calls_at_once"] == 500
    assert (slow["as_scheduled"]["workers"], quick["as_scheduled"]["workers"]) == (25, 1)


@pytest.mark.parametrize("where", ["local", "remote"], indirect=True)
def test_the_schedules_of_the_store(run, create, monkeypatch):
    monkeypatch.setattr("rrcli.operations.simulate.BATCH", 2)
    create("one")
    create("two", "--jitter", "60")
    run("schedule", "pause", create("three"))
    result = run("simulate", "--from-store", "--days", "1", "--after", "2026-12-01")
    assert "3 schedules, 1 day from 2026-12-01 00:00:00 +00:00: 48 events" in result.out
    assert result.err == "1 of 3 schedules: left out because they are not active\n"


def test_stdin_and_several_files(run, file):
    found = figures(
        run, "-f", file, "-f", "-", "--days", "1", stdin=FILE.replace("name: ", "name: b-").encode()
    )
    assert found["schedules"] == 6


def test_what_never_runs_in_these_days_is_said(run, file):
    result = run("simulate", "-f", file, "--days", "2", "--after", "2026-11-24T00:30:00Z")
    assert result.err == ""
    text = b"- {name: n, rrule: 'FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1', callback_url: 'http://h/'}"
    result = run("simulate", "-f", "-", "--days", "1", stdin=text)
    assert result.code == 0
    assert result.err == "1 of 1 schedule: without an occurrence in these days\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "Give either -f PATH or --from-store."),
        (("-f", "x.yaml", "--from-store"), 2, "Give either -f PATH or --from-store."),
        (("-f", "absent.yaml"), 2, "absent.yaml: No such file or directory."),
        (("-f", "-", "--days", "0"), 2, "--days"),
        (("-f", "-", "--call-seconds", "0"), 2, "more than 0"),
        (("-f", "-", "--jitter", "soon"), 2, "'soon' is not a length of time"),
        (("-f", "-", "--after", "nonsense"), 4, "--after"),
    ],
)
def test_wrong_options(run, arguments, code, told):
    result = run("simulate", *arguments, stdin=FILE.encode())
    assert result.code == code
    assert told in result.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no schedule"),
        ("schedules: [{name: a", "must be YAML"),
        ("- {name: a, callback_url: 'http://h/', rrule: FREQ=OFTEN}", "stdin:1: a: rrule"),
        ("- {name: a, callback_url: 'http://h/', rrule: FREQ=DAILY, exclude_calendars: [none]}", "none"),
    ],
)
def test_bad_files_are_told_with_the_place(run, text, told):
    result = run("simulate", "-f", "-", stdin=text.encode())
    assert result.code == 4
    assert told in result.err
