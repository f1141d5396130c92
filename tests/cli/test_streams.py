"""Streams that are closed or full, and Ctrl-C in the middle of work: a sentence, an exit code, no trace."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import command


def shell(line: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line with redirections of a shell behind it."""
    return subprocess.run(
        ["bash", "-c", f'"$@" {line}', "bash", *command(*arguments)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_closed_stdin_is_an_empty_one(create):
    create("job")
    done = shell("<&-", "schedule", "delete", "job")
    assert (done.returncode, "no terminal to ask on" in done.stderr) == (2, True)
    done = shell("<&-", "apply", "-f", "-")
    assert (done.returncode, "declare no schedule" in done.stderr) == (2, True)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stdout_or_stderr_is_one_that_nobody_reads(create, closed):
    create("job")
    done = shell(closed, "schedule", "list")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_finds_no_room_is_told_without_its_errno(create, monkeypatch, unbuffered):
    create("job")
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    done = shell(">/dev/full", "schedule", "list")
    assert done.returncode == 1
    assert done.stderr == "Error: What there is to print cannot be written: No space left on device.\n"


def test_an_interrupted_apply_says_how_far_it_came_and_goes_on_the_next_time(run, tmp_path):
    lines = [f"- {{name: s{n}, every: 1h, callback_url: 'http://127.0.0.1:9/'}}\n" for n in range(300)]
    Path(tmp_path, "all.yaml").write_text("schedules:\n" + "".join(lines))
    program = (
        "import os, signal\n"
        "from rrcli.operations import apply\n"
        "real, done = apply._do, []\n"
        "def do(writer, step):\n"
        "    done.append(step)\n"
        "    len(done) == 120 and os.kill(os.getpid(), signal.SIGINT)\n"
        "    real(writer, step)\n"
        "apply._do = do\n"
        "from rrcli.cli.main import run\n"
        "import sys; sys.argv = ['rrcli', 'apply', '-f', 'all.yaml']; run()\n"
    )
    done = subprocess.run(
        [*command()[:1], "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 130
    assert "Interrupted: 119 created of 300. Apply again to go on." in done.stderr
    assert "Traceback" not in done.stderr
    assert run("apply", "-f", "all.yaml").err == "181 created, 119 unchanged.\n"


@pytest.mark.parametrize("encoding", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}])
def test_a_locale_without_unicode_breaks_nothing(create, encoding):
    create("日本語")
    for line in (["schedule", "list"], ["preview", "日本語", "--calendar"], ["schedule", "show", "日本語"]):
        done = subprocess.run(
            command(*line), env=os.environ | encoding, capture_output=True, timeout=30, check=False
        )
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
        assert done.stdout


def test_ctrl_c_ends_a_watch_with_130_and_nothing_else(create):
    create("job")
    with subprocess.Popen(
        command("events", "watch"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err.strip()) == (130, "")
