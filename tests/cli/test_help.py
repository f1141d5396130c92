"""Help, suggestions, completion, what starting costs, and the reference made from all of it."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from rrcli import __version__
from rrcli.cli.group import Command
from rrcli.cli.main import COMMANDS, cli
from rrcli.cli.schedules import ELSEWHERE, schedule

ROOT = Path(__file__).resolve().parents[2]


def generator():
    sys.path.append(str(ROOT / "docs"))  # as when it is run as a script: it imports its neighbours
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EVERY = list(generator().walk(cli, ()))


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) for path, _ in EVERY])
def test_every_command_has_help_with_an_example_that_fits_80_columns(run, path, command):
    for flag in ("-h", "--help"):
        result = run(*path, flag)
        assert result.code == 0
        assert result.out.startswith(f"Usage: rrcli {' '.join(path)}")
        assert "Global options:" in result.out
        assert all(len(line) <= 80 for line in result.out.splitlines())
    if isinstance(command, Command):
        assert "Examples:\n  " in result.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_short_help_that_is_shown_before_a_command_is_imported_names_a_real_one(name):
    found = cli.get_command(click.Context(cli), name)
    assert isinstance(found, click.Command)
    assert found.name == name


@pytest.mark.parametrize("name", ELSEWHERE)
def test_so_does_that_of_a_command_of_a_group(name):
    found = schedule.get_command(click.Context(schedule), name)
    assert isinstance(found, click.Command)
    assert (found.name, found.get_short_help_str(200)) == (name, ELSEWHERE[name][1])


def test_the_generated_pages_are_up_to_date():
    pages = generator()
    old = [name for name, make in pages.MADE.items() if pages._content(ROOT / name) != make()]
    assert old == [], "run python docs/generate.py"


def test_every_command_is_in_the_reference():
    page = (ROOT / "docs" / "reference" / "cli.md").read_text()
    for path, command in EVERY:
        assert f"# rrcli {' '.join(path)}\n" in page
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.opts[-1] in page


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["shedule", "list"], "Did you mean 'schedule'?"),
        (["schedule", "lst"], "Did you mean 'list'?"),
        (["schedule", "list", "--stat", "x"], "'--state'"),
        (["preview", "--rule", "x"], "'--rrule'"),
        (["--outptu", "json"], "Did you mean '--output'?"),
    ],
)
def test_did_you_mean(run, arguments, suggestion):
    result = run(*arguments)
    assert result.code == 2
    assert suggestion in result.err


def test_version(run):
    assert run("--version").out == f"rrcli {__version__}\n"


def test_no_command_shows_the_help(run):
    result = run()
    assert result.code == 2
    assert result.err.startswith("Usage: rrcli")
    assert "Commands:" in result.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run, shell):
    result = run("completion", shell)
    assert result.code == 0
    assert "_RRCLI_COMPLETE" in result.out


def test_completion_knows_the_commands():
    found = subprocess.run(
        [sys.executable, "-m", "rrcli"],
        env={"_RRCLI_COMPLETE": "bash_complete", "COMP_WORDS": "rrcli schedule ", "COMP_CWORD": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "plain,create" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (["--help"], ["rrcli.settings", "rrcli.operations", "rrcli.core.recurrence", "sqlite3", "logging"]),
        (["preview", "--rrule", "FREQ=DAILY"], ["rrcli.settings", "sqlite3", "logging"]),
        (["schedule", "list"], []),
    ],
    ids=["help", "preview", "list"],
)
def test_commands_import_only_what_they_need(arguments, never):
    program = (
        "import sys, json; from rrcli.cli.main import main; main(json.loads(sys.argv[1]));"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, json.dumps(arguments)], capture_output=True, text=True, check=True
    )
    modules = set(json.loads(found.stderr.splitlines()[-1]))
    heavy = {"pymongo", "redis", "rich", "rich.console", "rich.table", "yaml", "httpx", "falcon", "pycurl"}
    assert not modules & heavy
    assert not modules & set(never)
