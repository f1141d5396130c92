"""Completion: in the shells themselves where they are installed, quick, and silent when the store is away."""

import fcntl
import os
import pty
import re
import resource
import select
import shlex
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    create("with a blank")
    odd = create("with a \\")
    run("schedule", "trigger", "nightly")
    event_id = run("events", "pending", "nightly", "-o", "ids").out.split()[0]
    assert offered("schedule", "show", "nig") == (["nightly"], "")
    assert set(offered("schedule", "pause", "")[0]) == {"nightly", "with a blank", odd}
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


def test_time_zones_are_offered_by_their_beginning_or_their_city():
    assert "Europe/Berlin" in offered("--tz", "Europe/B")[0]
    assert offered("preview", "--timezone", "Berl")[0] == ["Europe/Berlin"]


@pytest.mark.parametrize("words", [("apply", "-f", "x"), ("--config", "x"), ("calendar", "import", "x")])
def test_where_a_file_is_meant_the_shell_offers_files(words):
    environment = os.environ | {
        "_RRCLI_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("rrcli", *words)),
    }
    line = [sys.executable, "-m", "rrcli"]
    assert subprocess.run(line, env=environment, capture_output=True, check=False).stdout == b"file,x\n"


def test_a_shell_that_is_not_known_is_answered_with_nothing():
    environment = os.environ | {"_RRCLI_COMPLETE": "tcsh_complete", "COMP_WORDS": "rrcli "}
    done = subprocess.run([sys.executable, "-m", "rrcli"], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, b"", b"")


START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source {script}; PS1='READY> '"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -U compinit; compinit -u -d {dump}; source {script}; PS1='READY> '",
    ),
}
TYPED = [
    ("show nig", "show nightly "),
    ("show wi", "show with\\ a\\ blank "),
    ("show with\\ a", "show with\\ a\\ blank "),
    ("show ops:", "show ops:nightly "),
    ("show ops:ni", "show ops:nightly "),
    ("show a,", "show a,b "),
]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_tab_key_completes_names_with_blanks_colons_and_commas(path, create, run, tmp_path, shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    for name in ("nightly", "with a blank", "ops:nightly", "a,b"):
        create(name)
    program, setup = START[shell]
    script = tmp_path / "script"
    script.write_text(run("completion", shell).out)
    with typing(program) as at:
        at.send(setup.format(script=script, dump=tmp_path / "dump") + "\n")
        for number, (typed, expected) in enumerate(TYPED):
            at.send(f": {number}\n")
            at.wait_for("READY> ")
            at.send(f"rrcli schedule {typed}\t")
            at.wait_for(f"rrcli schedule {expected}")
            at.send("\x15")


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize(("typed", "expected"), TYPED)
def test_fish_completes_names_with_blanks_colons_and_commas(path, create, run, tmp_path, typed, expected):
    for name in ("nightly", "with a blank", "ops:nightly", "a,b"):
        create(name)
    script = Path(tmp_path, "rrcli.fish")
    script.write_text(run("completion", "fish").out)
    commands = f"source {script}; complete -C {shlex.quote('rrcli schedule ' + typed)}"
    done = subprocess.run(["fish", "-c", commands], capture_output=True, text=True, timeout=20, check=False)
    names = [line.partition("\t")[0] for line in done.stdout.splitlines()]
    assert names == [expected.replace("\\ ", " ").removeprefix("show ").strip()]


class Typing:
    """A shell on a terminal: what is typed, and what is seen."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def wait_for(self, text: str, seconds: float = 10.0) -> None:
        seen, end = "", time.monotonic() + seconds
        while text not in seen and time.monotonic() < end:
            if select.select([self._descriptor], [], [], 0.1)[0]:
                seen += SEQUENCE.sub("", os.read(self._descriptor, 65536).decode(errors="replace"))
        assert text in seen


SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|[\x07\x08]|\r")


@contextmanager
def typing(program: list[str]) -> Iterator[Typing]:
    """The shell, ended when the block ends."""
    ours, theirs = pty.openpty()
    # So wide that no line that is typed goes on in the next.
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 300, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TERM": "dumb"}
    with subprocess.Popen(
        program, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            yield Typing(ours)
        finally:
            process.kill()
            os.close(ours)


def test_a_name_is_offered_within_a_quarter_of_a_second_of_work(create):
    create("nightly")
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert offered("schedule", "show", "nig")[0] == ["nightly"]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # Twice what people are promised: the machines of CI are slow.
    assert min(spent) < 0.5
