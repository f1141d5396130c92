"""Where the worker's time goes: samples of a real worker process, counted by area."""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from shutil import which

from rrcli.settings import Settings
from tests.benchmarks.draining import Work, drain

SAMPLES_PER_SECOND = 250
AREAS = (  # the first whose text is in a line of the stack names the area; from the stack's root to its leaf
    ("HTTP: options of curl", ("Transfer.prepare",)),
    ("HTTP: curl's own work, sockets, answers", ("Sender._serve",)),
    ("handing calls to the network thread and back", ("Sender.submit", "Sender.collect")),
    ("claim and acknowledge", ("Queues.claim", "Queues.acknowledge", "Queues.extend", "Queues.reap")),
    ("load: schedules", ("Schedules.get",)),
    ("load: is it archived already", ("Events.archived",)),
    ("load: events", ("Events.get",)),
    ("archive: records to documents", ("archived_document", "archived_row")),
    ("archive: driver and server", ("Events.archive ", "Results._write")),
    ("building requests", ("request.py", "Worker._request")),
    ("judging outcomes", ("Worker._collect",)),
    ("deciding what is called", ("Worker._start",)),
    ("loop, leases, heartbeats", ("Worker.", "loop.py", "results.py", "concurrent")),
)
OTHER = "start of the process, driver threads"


def profiled(store: Settings, work: Work) -> list[tuple[str, float]]:
    """Share of the worker's CPU time by area, largest first. Raises FileNotFoundError without py-spy."""
    program = which("py-spy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        raise FileNotFoundError("py-spy is not installed: pip install 'rrule-scheduler[test]'")
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder, "stacks")
        options = ["--threads", "--nonblocking", "--format", "raw", "--rate", str(SAMPLES_PER_SECOND)]
        drain(store, work, command=[program, "record", *options, "--output", str(record), "--"])
        counted = Counter[str]()
        for line in record.read_text(encoding="utf-8").splitlines():
            stack, _, samples = line.rpartition(" ")
            counted[area(stack)] += int(samples)
    del counted[OTHER]
    return [(name, number / counted.total()) for name, number in counted.most_common()]


def area(stack: str) -> str:
    """Which area a stack (`frame;frame;...`, root first) belongs to."""
    for name, signs in AREAS:
        if any(sign in stack for sign in signs):
            return name
    return OTHER
