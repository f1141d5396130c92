"""Completion: in the shells themselves where they are installed, quick, and silent when the store is away."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rrcli.cli.state import State


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A folder with the command `rrcli` of this checkout, first on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "rrcli"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rrcli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def offered(*words: str) -> tuple[list[str], str]:
    """What is offered for the last word, and stderr, as the shells ask for it."""
    environment = os.environ | {
        "_RRCLI_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("rrcli", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-m", "rrcli"], env=environment, capture_output=True, text=True, check=False
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line], done.stderr


def test_commands_and_options_are_offered():
    assert "schedule" in offered("sch")[0]
    assert {"pause", "list"} <= set(offered("schedule", "")[0])
    assert "--callback-url" in offered("schedule", "create", "--call")[0]


def test_schedules_events_and_calendars_are_offered(run, create):
    create("nightly")
    spaced = create("with a blank")
    run("schedule", "trigger", "nightly")
    event_id = run("events", "pending", "nightly", "-o", "ids").out.split()[0]
    assert offered("schedule", "show", "nig") == (["nightly"], "")
    assert set(offered("schedule", "pause", "")[0]) == {"nightly", spaced}
    assert event_id in offered("events", "show", event_id[:6])[0]
    assert offered("events", "show", event_id[:20])[0] == [event_id]


def test_a_store_that_is_away_offers_nothing_and_says_nothing(monkeypatch):
    monkeypatch.setenv("MONGO_URI", "mongodb://127.0.0.1:1")
    started = time.monotonic()
    assert offered("schedule", "show", "") == ([], "")
    assert time.monotonic() - started < 2  # of which 0.2 s for the store
    monkeypatch.setenv("RRCLI_CONFIG", "/nowhere.yaml")
    assert offered("schedule", "show", "") == ([], "")


def test_a_server_offers_what_it_has(clock, service, create, monkeypatch):
    from rrcli.cli.complete import offer

    create("nightly")
    monkeypatch.setenv("RRCLI_SERVER", "http://localhost")
    monkeypatch.setattr("rrcli.cli.complete.PATIENCE_SECONDS", 10)
    state = State(clock=clock, connect=service)
    assert [each.value for each in offer("schedule", "ni", state)] == ["nightly"]
    state.close()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(run, shell):
    script = run("completion", shell).out
    assert "_RRCLI_COMPLETE" in script


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_completes_a_name(path, create, run, tmp_path):
    create("nightly")
    script = Path(tmp_path, "completion.bash")
    script.write_text(run("completion", "bash").out)
    commands = (
        f"source {script}; COMP_WORDS=(rrcli schedule show nig); COMP_CWORD=3; "
        '_rrcli_completion rrcli nig show; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", commands], capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout.split() == ["nightly"], done.stderr


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_reads_its_script(run, tmp_path):
    script = Path(tmp_path, "_rrcli")
    script.write_text(run("completion", "zsh").out)
    assert subprocess.run(["zsh", "-n", script], timeout=20, check=False).returncode == 0


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_completes_a_name(path, create, run, tmp_path):
    create("nightly")
    script = Path(tmp_path, "rrcli.fish")
    script.write_text(run("completion", "fish").out)
    commands = f"source {script}; complete -C 'rrcli schedule show nig'"
    done = subprocess.run(["fish", "-c", commands], capture_output=True, text=True, timeout=20, check=False)
    assert "nightly" in done.stdout
