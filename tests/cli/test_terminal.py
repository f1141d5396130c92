"""What is seen: widths, colours, text that tries to steer the terminal, pipes, Ctrl-C."""

import json
import os
import signal
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.cli import times
from rrcli.cli.main import main
from rrcli.cli.tables import Cell, Column, fields, table
from rrcli.cli.text import cells, safe_json, short_ids, shorten, wrap
from rrcli.repository.sqlite import SqliteRepository
from tests.cli.conftest import command, on_terminal, process

LONG = "a name that goes on and on, far beyond what any table could want to show in its column"
EVIL = "evil\x1b[31m [red]x[/red] \u202egnp"


@pytest.fixture
def several(create):
    create(LONG, "--tag", "nightly", rule="FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=8;BYMINUTE=30;BYSECOND=0")
    create("日本語の名前をもつスケジュールです", rule="FREQ=MINUTELY")
    create("job", rule="FREQ=MINUTELY;INTERVAL=2")


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize(
    "arguments",
    [
        ["schedule", "list"],
        ["schedule", "show", "job"],
        ["schedule", "show", LONG],
        ["events", "pending"],
        ["events", "pending", "--tz", "Asia/Kolkata"],
        ["preview", LONG, "--tz", "Asia/Kolkata"],
        ["status"],
        ["events", "watch", "--for", "0"],
        ["config", "show"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40] if isinstance(arguments, list) else None,
)
def test_no_line_is_wider_than_the_terminal(run, several, monkeypatch, arguments, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    result = run(*arguments)
    assert result.code == 0
    assert result.out
    assert all(cells(line) <= columns for line in result.out.splitlines())
    assert not any(line.endswith(" ") for line in result.out.splitlines())


def test_the_list_at_80_columns(run, several, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("schedule", "list").out.splitlines()
    assert lines[0].split() == ["ID", "NAME", "STATE", "NEXT", "RUN", "RULE"]
    assert all(" in " in line or " now " in line for line in lines[1:])
    assert "…" in lines[3]


def test_a_pipe_gets_full_values_without_colour_or_lines(run, several):
    out = run("schedule", "list").out
    assert LONG in out
    assert "…" not in out
    assert "─" not in out
    assert "\x1b" not in out
    assert len(out.splitlines()[1].split()[0]) == 24


def test_a_terminal_gets_colours_short_ids_and_a_footer(several):
    code, shown = on_terminal("schedule", "list", columns=80)
    assert code == 0
    assert "\x1b[32mactive" in shown
    assert "──" in shown
    assert "3 of 3 schedules" in shown


@pytest.mark.parametrize(
    ("arguments", "environment"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})]
)
def test_colours_can_be_declined(several, arguments, environment):
    for line in (["schedule", "list"], ["schedule", "show", "nope"]):
        _, shown = on_terminal(*line, *arguments, **environment)
        assert "\x1b[3" not in shown


def test_names_cannot_steer_the_terminal_nor_are_they_markup(run, create, tmp_path):
    create("job", "--at", "+1m")
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        (job,) = repository.schedules.resolve("job")
        repository.schedules.replace(replace(job, name=EVIL, revision=2), expected_revision=1)
    shown = "evil\\x1b[31m [red]x[/red] \\u202egnp"
    for arguments in (["list"], ["show", job.id], ["pause", job.id], ["resume", job.id]):
        out = run("schedule", *arguments).out
        assert shown in out
        assert "\x1b" not in out
        assert "\u202e" not in out
    assert shown in run("events", "pending").out
    assert json.loads(run("schedule", "show", job.id, "-o", "json").out)["name"] == EVIL
    assert "\x1b" not in run("schedule", "show", job.id, "-o", "yaml").out


def test_an_error_cannot_steer_the_terminal(run):
    result = run("schedule", "show", "\x1b[2Jx\u202e")
    assert result.code == 3
    assert "\x1b" not in result.err
    assert "\u202e" not in result.err


def test_a_reader_that_has_gone_ends_the_command_silently(create):
    shell = " ".join(command("preview", "--rrule", "FREQ=SECONDLY", "-n", "1000", "-o", "json"))
    found = process_shell(f"{shell} | head -n 1; echo ${{PIPESTATUS[0]}}")
    assert found.stdout == "[\n0\n"
    assert found.stderr == ""


def process_shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30, check=False)


def test_ctrl_c_is_130_without_a_trace(tmp_path):
    rule = tmp_path / "rule"
    os.mkfifo(rule)
    with (
        subprocess.Popen(
            command("preview", "--rrule", f"@{rule}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as waiting,
        rule.open("w"),
    ):  # returns when the command has opened the other end, and waits there
        waiting.send_signal(signal.SIGINT)
        out, said = waiting.communicate(timeout=20)
    assert waiting.returncode == 130
    assert (out + said).strip() == ""


def test_a_terminal_without_unicode_gets_substitutes(create):
    create("日本")
    found = process("schedule", "list", env=os.environ | {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})
    assert found.returncode == 0, found.stderr
    assert "\\u65e5\\u672c" in found.stdout


def test_verbose_notes_go_to_stderr(run, create):
    create("job")
    result = run("-v", "schedule", "list", "-o", "ids")
    assert "store: embedded" in result.err
    assert len(result.out.split()) == 1


def test_main_takes_its_arguments_from_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["rrcli", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("rrcli ")


NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "now"),
        (1, "in 1 s"),
        (59.6, "in 1 m"),
        (90, "in 1 m 30 s"),
        (3600, "in 1 h"),
        (3605, "in 1 h"),
        (276_000, "in 3 d 4 h"),
        (-276_000, "3 d 4 h ago"),
        (86_400 * 400, "in 400 d"),
    ],
)
def test_relative_times_have_two_units(seconds, shown):
    assert times.relative(NOW + timedelta(seconds=seconds), NOW) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.0003, "0.3 ms"),
        (0.0098, "10 ms"),
        (0.012, "12 ms"),
        (3.4, "3.4 s"),
        (59.7, "1 m"),
        (3661, "1 h 1 m"),
    ],
)
def test_spans(seconds, shown):
    assert times.span(seconds) == shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("10m", 600),
        ("1h30m", 5400),
        ("1 d 2 h", 93_600),
        ("250ms", 0.25),
        ("x", None),
    ],
)
def test_lengths_of_time_as_people_write_them(text, seconds):
    assert times.seconds_of(text) == seconds


def test_columns_shrink_then_go_in_the_order_that_is_declared():
    columns = (Column("A"), Column("B", least=5), Column("C", keep=2), Column("D", keep=1))
    rows = [("aaaa", "b" * 20, "cccc", "dddd")]
    assert table(columns, rows, width=40).splitlines()[1] == f"aaaa  {'b' * 20}  cccc  dddd"
    assert table(columns, rows, width=30).splitlines()[1] == f"aaaa  {'b' * 11}…  cccc  dddd"
    assert table(columns, rows, width=20).splitlines()[1] == "aaaa  bbbbbbb…  cccc"
    assert table(columns, rows, width=12).splitlines()[1] == "aaaa  bbbbb…"
    assert table(columns, rows, width=None).splitlines()[1] == f"aaaa  {'b' * 20}  cccc  dddd"


def test_empty_columns_are_left_out():
    columns = (Column("A"), Column("B"))
    assert table(columns, [("a", "")], width=80).splitlines() == ["\x1b[1mA\x1b[0m", "a"]


def test_fields_go_on_in_the_second_column():
    shown = fields([("key", "word " * 10), ("k", Cell("one\ntwo"))], width=30)
    assert shown.splitlines()[0].endswith("key\x1b[0m  word word word word")
    assert shown.splitlines()[1] == "       word word word word"
    assert shown.splitlines()[-1] == "       two"


def test_text_is_measured_and_cut_in_cells():
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert shorten("日本語", 5) == "日本…"
    assert wrap("aaa bbb ccc", 7) == ["aaa bbb", "ccc"]
    assert wrap("a" * 10, 4) == ["aaaa", "aaaa", "aa"]
    assert wrap("a" * 5, 4) == ["aaaa", "a"]


@given(st.text(), st.integers(2, 30))
def test_no_wrapped_line_is_wider_than_asked_and_nothing_but_blanks_is_lost(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_json_for_terminals_is_still_the_same_json():
    text = json.dumps({"a": EVIL + "\x9b"}, ensure_ascii=False)
    assert json.loads(safe_json(text)) == {"a": EVIL + "\x9b"}
    assert "\x9b" not in safe_json(text)
    assert "\u202e" not in safe_json(text)


def test_short_ids_are_unique_and_leave_room():
    ids = ["65f1c0a2b3c4d5e6f7a8b9c0", "65f1c0a2b3ffd5e6f7a8b9c0"]
    assert short_ids(ids) == {each: each[:13] for each in ids}
    assert short_ids(ids[:1]) == {ids[0]: ids[0][:8]}
