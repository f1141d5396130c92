"""The embedded store's file: killed in the middle of writes, full, read-only, shared, damaged."""

import resource
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from rrcli.repository.factory import data_dir, open_repository
from rrcli.settings import Settings
from tests.faults.running import LONG, load
from tests.support.load import add_schedules, all_ended
from tests.support.read_only import read_only
from tests.support.receiver import Receiver
from tests.support.stack import DAEMONS, environment, running, wait_until

BACKEND = "embedded"
KILLS = 30 if LONG else 4


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    settings = Settings()
    return replace(settings, embedded=replace(settings.embedded, data_dir=str(tmp_path / "data")))


def file_of(settings: Settings) -> Path:
    return data_dir(settings) / "rrule-scheduler.db"


def test_killing_everything_in_the_middle_of_writes_loses_nothing(
    embedded: Settings, target: Receiver, tmp_path: Path
) -> None:
    with load(embedded, target, tmp_path / "log", *DAEMONS) as under_load:
        for number in range(KILLS):
            under_load.wait_for_calls(20 * (number + 1))
            for name in DAEMONS:
                under_load.kill(name)
        under_load.over()
        under_load.settle("All daemons killed in the middle of writes", BACKEND)


def test_two_stacks_on_one_file_share_the_work(embedded: Settings, target: Receiver, tmp_path: Path) -> None:
    with (
        load(embedded, target, tmp_path / "log", *DAEMONS) as under_load,
        running(embedded, tmp_path / "log-2", *DAEMONS),
    ):
        under_load.over()
        verdict = under_load.settle("Two stacks on one file", BACKEND)
    assert verdict.doubles == 0


def test_a_full_disk_is_waited_for_and_nothing_is_lost(
    embedded: Settings, target: Receiver, tmp_path: Path
) -> None:
    """A limit on the size of files stands for the disk: the daemons cannot tell the two apart."""
    with load(embedded, target, tmp_path / "log", *DAEMONS) as under_load:
        under_load.wait_for_calls(50)
        pids = [process.pid for process in under_load.stack.processes.values()]
        for pid in pids:
            _limit_files(pid, 4096)
        under_load.wait_for_log("store_away")
        for pid in pids:
            _limit_files(pid, resource.RLIM_INFINITY)
        under_load.over()
        under_load.settle("Disk full", BACKEND)
        assert all(process.poll() is None for process in under_load.stack.processes.values())


def _limit_files(pid: int, size: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.skipif(not LONG, reason="a writer gives up after ten seconds")
def test_a_file_that_another_process_holds_is_waited_for(
    embedded: Settings, target: Receiver, tmp_path: Path
) -> None:
    with load(embedded, target, tmp_path / "log", *DAEMONS, a_second=20) as under_load:
        under_load.wait_for_calls(20)
        held = subprocess.Popen([sys.executable, "-c", HOLD, str(file_of(embedded))], stdout=subprocess.PIPE)
        assert held.stdout is not None
        held.stdout.readline()
        under_load.wait_for_log("store_away")
        held.kill()
        held.wait()
        held.stdout.close()
        under_load.over()
        under_load.settle("File held by another process", BACKEND)


HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA busy_timeout = 60000")
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("damage", ["garbage in the middle", "another program's header", "cut in half"])
def test_a_damaged_file_is_refused_and_not_overwritten(
    embedded: Settings, target: Receiver, damage: str
) -> None:
    with open_repository(embedded) as repository:
        repository.init()
        add_schedules(repository, target.url(), 500, each=1, starting_in=timedelta(hours=1))
    path = file_of(embedded)
    whole = path.read_bytes()
    half = len(whole) // 2 // 4096 * 4096
    path.write_bytes(
        {
            "garbage in the middle": whole[:4096] + b"\xa5" * (len(whole) - 4096),
            "another program's header": b"not a database at all!" + whole[22:],
            "cut in half": whole[:half],
        }[damage]
    )
    damaged = path.read_bytes()
    for arguments in (["schedule", "list"], ["daemon", "prequeuer"]):
        done = subprocess.run(
            [sys.executable, "-m", "rrcli", *arguments],
            env=environment(embedded),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode not in (0, -signal.SIGKILL)
        assert str(path) in done.stderr
        assert "Traceback" not in done.stderr
    assert path.read_bytes() == damaged


def test_a_read_only_folder_is_refused_with_a_hint_and_waited_for(
    embedded: Settings, target: Receiver, tmp_path: Path
) -> None:
    with open_repository(embedded) as repository:
        repository.init()
        schedules = add_schedules(repository, target.url(), 10, each=1, starting_in=timedelta(0))
    log = tmp_path / "log"
    with ExitStack() as daemons:
        with read_only(data_dir(embedded)):
            done = subprocess.run(
                [sys.executable, "-m", "rrcli", "schedule", "list"],
                env=environment(embedded),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 5
            assert "RRCLI_DATA_DIR" in done.stderr
            stack = daemons.enter_context(running(embedded, log, *DAEMONS))
            wait_until(lambda: log.read_text().count("store_away") == len(DAEMONS))
        with open_repository(embedded) as repository:
            wait_until(lambda: all_ended(repository, schedules, 1))
        assert all(process.poll() is None for process in stack.processes.values())
    assert len(target.requests) == 10
