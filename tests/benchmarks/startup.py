"""How long a command takes from start to end, beside an interpreter that does nothing, in the same run.

Run with `python -m tests.benchmarks.startup [--quick]`. Every command is run in turn, round by round, so that
a busy machine slows all of them; the medians are shown, with the quickest run beside.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks.results import Results

ROUNDS = 31
SCHEDULES = 100
RRCLI = str(Path(sys.executable).with_name("rrcli"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "rrcli --help": [RRCLI, "--help"],
    "rrcli preview": [RRCLI, "preview", "--rrule", "FREQ=WEEKLY;BYDAY=MO,FR"],
    "rrcli schedule list": [RRCLI, "schedule", "list"],
}
MOST_MS = {"rrcli --help": 120, "rrcli preview": 200, "rrcli schedule list": 250}
RULE = "FREQ=WEEKLY;BYDAY=MO;BYHOUR=8;BYMINUTE=30;BYSECOND=0"


def main() -> None:
    """Run everything, compare with the targets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick = parser.parse_args().quick
    rounds, schedules = (5, 5) if quick else (ROUNDS, SCHEDULES)
    results = Results(name="startup", quick=quick)
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"RRCLI_DATA_DIR": folder, "XDG_CONFIG_HOME": folder, "NO_COLOR": "1"}
        _fill(folder, schedules, environment)
        taken = measure(rounds, folder, environment)
    results.table(
        "From start to end of a command",
        ("command", "median ms", "quickest ms", "CPU ms"),
        [
            (name, median(run.wall_ms for run in each), min(run.wall_ms for run in each), _cpu_ms(each))
            for name, each in taken.items()
        ],
        note=f"{rounds} rounds, one command after the other; an embedded store of {schedules} schedules",
    )
    for name, most in MOST_MS.items():
        reached = median(run.wall_ms for run in taken[name])
        results.target(name, asked=f"<= {most} ms", reached=f"{reached:.0f} ms", met=reached <= most)
    results.save()


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: from start to end, and the CPU it took."""

    wall_ms: float
    cpu_ms: float


def _cpu_ms(runs: list[Run]) -> float:
    return median(run.cpu_ms for run in runs)


def measure(rounds: int, folder: str, environment: dict[str, str]) -> dict[str, list[Run]]:
    """Every run, by command; the first round warms the disk cache and does not count."""
    taken: dict[str, list[Run]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, command in COMMANDS.items():
            began, cpu = time.perf_counter(), _children_seconds()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=environment)
            if number:
                wall_ms = (time.perf_counter() - began) * 1000
                taken[name].append(Run(wall_ms, (_children_seconds() - cpu) * 1000))
    return taken


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _fill(folder: str, number: int, environment: dict[str, str]) -> None:
    for index in range(number):
        made = ["schedule", "create", "--name", f"s{index}", "--rrule", RULE]
        command = [RRCLI, *made, "--callback-url", "http://127.0.0.1:9/"]
        subprocess.run(
            command,
            check=True,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


if __name__ == "__main__":
    main()
