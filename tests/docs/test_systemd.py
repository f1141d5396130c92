"""The systemd units: what systemd itself says of them where it is installed, and what they start."""

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from rrcli.cli.main import cli
from rrcli.settings import Settings, keys
from tests.docs.markdown import ROOT

FOLDER = ROOT / "config" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")


def values(unit: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not on this machine")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    program = tmp_path / "rrcli"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in FOLDER.iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/rrule-scheduler/bin/rrcli", str(program))
        # The user is made by the installation.
        (tmp_path / unit.name).write_text(text.replace("User=rrule", "User=daemon"), encoding="utf-8")
    checked = [unit.name.replace("@.", "@1.") for unit in SERVICES]
    answer = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", *checked],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in answer.stderr.splitlines() if "rrule-scheduler" in line] == []


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_each_unit_starts_a_command_that_there_is(unit: Path) -> None:
    (line,) = values(unit, "ExecStart")
    words = line.split()[1:]
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None
    assert words[1:] in ([], ["prequeuer"], ["dispatcher"], ["worker"])


def test_variables_have_the_names_that_the_program_knows() -> None:
    known = {key.env for key in keys()} | {"RRCLI_CONFIG", "RRCLI_DATA_DIR"}
    for unit in SERVICES:
        named = {pair.partition("=")[0] for line in values(unit, "Environment") for pair in line.split()}
        assert named <= known, unit.name


def test_a_stopping_worker_is_given_longer_than_it_gives_its_calls() -> None:
    (seconds,) = values(FOLDER / "rrule-scheduler-worker@.service", "TimeoutStopSec")
    assert int(seconds) > Settings().worker.grace_seconds


def test_the_target_wants_all_programs() -> None:
    wanted = set(values(FOLDER / "rrule-scheduler.target", "Wants"))
    assert {name.replace("@1", "@") for name in wanted} == {unit.name for unit in SERVICES}
