"""Every exit code, and what is said with it."""

import json
import socket
import time

import pytest

from rrcli.cli import errors
from rrcli.cli.exit_codes import ExitCode
from rrcli.errors import (
    Conflict,
    InvalidInput,
    InvalidSettings,
    MalformedRequest,
    NotFound,
    StoreCorrupt,
    StoreUnavailable,
)


def test_success_is_0(run):
    result = run("schedule", "list")
    assert (result.code, result.out) == (ExitCode.OK, "")
    assert "No schedules" in result.err


def test_an_unexpected_exception_is_1_in_one_line_without_trace(run, monkeypatch):
    monkeypatch.setattr("rrcli.operations.summary.status", _broken)
    result = run("status")
    assert result.code == ExitCode.FAILED
    assert (
        result.err
        == "Error: internal error: ZeroDivisionError: oh\nHint: Run it again with -v for the trace.\n"
    )


def test_verbose_shows_the_trace(run, monkeypatch):
    monkeypatch.setattr("rrcli.operations.summary.status", _broken)
    result = run("status", "-v")
    assert result.code == ExitCode.FAILED
    assert "Traceback" in result.err
    assert "in _broken" in result.err


def _broken(_context):
    raise ZeroDivisionError("oh")


@pytest.mark.parametrize(
    "arguments",
    [
        ["schedule", "create"],
        ["schedule", "list", "--limit", "0"],
        ["schedule", "list", "--page", "0"],
        ["schedule", "list", "--limit", "1000000000"],
        ["preview"],
        ["preview", "a", "--rrule", "FREQ=DAILY"],
        ["preview", "--rrule", "FREQ=DAILY", "--tz", "Europe/Berln"],
        ["status", "-o", "xml"],
        ["nothing"],
    ],
)
def test_a_wrong_command_line_is_2(run, arguments):
    result = run(*arguments)
    assert result.code == ExitCode.USAGE
    assert result.err.startswith("Error: ")
    assert "Hint: rrcli" in result.err
    assert result.out == ""


def test_an_unknown_id_is_3(run):
    result = run("schedule", "show", "65f1c0a2b3c4d5e6f7a8b9c0")
    assert result.code == ExitCode.NOT_FOUND
    assert "No schedule has the id or name '65f1c0a2b3c4d5e6f7a8b9c0'" in result.err
    assert "Hint: List them: rrcli schedule list" in result.err


def test_an_unknown_event_is_3(run):
    assert run("events", "show", "65f1c0a2b3c4d5e6f7a8b9c0").code == ExitCode.NOT_FOUND


def test_a_refused_value_is_4_and_names_the_option(run):
    result = run("schedule", "create", "--name", "x", "--rrule", "FREQ=DAILY", "--callback-url", "/foo")
    assert result.code == ExitCode.INVALID_INPUT
    assert result.err.startswith("Error: --callback-url: must be an absolute http:// or https:// URL")


def test_all_refused_values_are_listed_at_once(run):
    result = run(
        *("schedule", "create", "--name", "x", "--rrule", "FREQ=DAILY"),
        *("--callback-url", "ftp://x", "--max-retries", "101"),
    )
    assert result.code == ExitCode.INVALID_INPUT
    assert "2 values refused" in result.err
    assert "  --callback-url: must be" in result.err
    assert "  --max-retries: must be" in result.err


def test_an_unreachable_store_is_5_within_5_seconds(run, monkeypatch):
    with socket.socket() as closed:  # bound and not listening: nobody else gets this port meanwhile
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MONGO_URI", f"mongodb://user:pass@127.0.0.1:{closed.getsockname()[1]}/")
        begin = time.monotonic()
        result = run("schedule", "list")
    assert result.code == ExitCode.STORE_UNREACHABLE
    assert time.monotonic() - begin < 5
    assert "Hint: " in result.err
    assert "pass@" not in result.err


URI = "mongodb://user:hunter2@box"


def test_no_message_and_no_trace_shows_a_password(run, monkeypatch):
    monkeypatch.setattr("rrcli.operations.summary.status", _leaking)
    for arguments in (["-v"], ["-o", "json"]):
        result = run("status", *arguments)
        assert "mongodb://***@box" in result.err
        assert "hunter2" not in result.err


def _leaking(_context):
    raise ValueError(URI)


def test_a_data_folder_that_cannot_be_written_is_5(run, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("RRCLI_DATA_DIR", str(tmp_path / "file" / "data"))
    result = run("schedule", "list")
    assert result.code == ExitCode.STORE_UNREACHABLE
    assert "RRCLI_DATA_DIR" in result.err


def test_a_stale_revision_is_6(run, create):
    create("job")
    for arguments in (["update", "job", "--method", "PUT"], ["pause", "job"], ["delete", "job", "--yes"]):
        result = run("schedule", *arguments, "--if-match", "7")
        assert result.code == ExitCode.CONFLICT, arguments
        assert "is at revision 1, not 7" in result.err


def test_a_reference_that_fits_several_is_6(run, create):
    create("job")
    create("job")
    assert run("schedule", "show", "job").code == ExitCode.CONFLICT


@pytest.mark.parametrize("form", [["-o", "json"], ["--output=json"], ["-ojson"], ["-o", "jsonl"]])
def test_errors_are_json_when_json_was_asked_for(run, form):
    result = run("schedule", "show", "nope", *form)
    error = json.loads(result.err)["error"]
    assert error["code"] == "not_found"
    assert error["hint"]
    assert result.out == ""


@pytest.mark.parametrize("form", [["-o", "json"], ["--output=json"], ["-ojson"]])
def test_usage_errors_are_json_too_wherever_the_line_broke(run, form):
    result = run("schedule", "list", "--nam", "x", *form)
    assert json.loads(result.err)["error"]["code"] == "usage"
    assert result.code == ExitCode.USAGE


def test_refused_fields_are_listed_in_json(run):
    result = run("preview", "--rrule", "FREQ=DAILY", "-n", "0", "-o", "json")
    error = json.loads(result.err)["error"]
    assert error["code"] == "validation_failed"
    assert error["details"][0]["field"] == "limit"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput([]), 4),
        (InvalidSettings("x"), 4),
        (MalformedRequest("x"), 4),
        (NotFound("x"), 3),
        (Conflict("x"), 6),
        (StoreUnavailable("x"), 5),
        (StoreCorrupt("x"), 1),
        (RuntimeError("x"), 1),
    ],
)
def test_each_error_has_its_code(error, code):
    assert errors.exit_code(error) == code
