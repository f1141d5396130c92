"""docs/reliability.md from the records of a run: `python -m tests.faults.report RECORDS_FOLDER`."""

import json
import os
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

from rrcli.clock import SystemClock
from tests.faults.promises import PROMISES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability.md"

HEAD = """\
# Reliability

<!-- Made by `make faults` from what it measured; not to be edited. -->

What is promised about delivery, and what was seen when things were broken on purpose: real daemons, servers
and files, a receiver that records every call, and after each run a comparison of three things that must
agree: the rule, the ledger (as `rrcli schedule audit` sees it, too), and the calls that arrived.

A **loss** is an instant of a rule without a final entry in the ledger, or an entry that says `completed` for
a call that never arrived. A **double** is a call that arrived once more than the ledger planned; a run fails
when one has another cause than a worker that was killed while that call was in flight. **Recovery** is the
time from the end of the fault until calls were on time again: until the last one that came more than a second
late. Where documents are broken on purpose, the figures are those of the sound ones.
"""


def render(folder: Path) -> str:
    """The page, with the figures of the records in `folder`."""
    records = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    date = f"{SystemClock().now():%Y-%m-%d}"
    parts = [
        HEAD,
        f"## Faults\n\nMeasured on {date} with `make faults`; the machine had {os.cpu_count()} processors.\n",
        _faults(records),
        "\n## Promises\n\nEach line, and the tests that show it.\n",
        _promises(),
    ]
    return "\n".join(parts)


def _faults(records: list[dict[str, Any]]) -> str:
    lines = [
        "| fault | backend | events | losses | doubles | recovery | test |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for one in sorted(records, key=lambda one: (one["test"], one["fault"], one["backend"])):
        seconds = one["recovery_seconds"]
        recovery = "" if seconds is None else f"{seconds:.1f} s"
        figures = f"{one['events']:,} | {one['losses']} | {one['doubles']} | {recovery}"
        lines.append(f"| {one['fault']} | {one['backend']} | {figures} | {_link(one['test'])} |")
    return "\n".join(lines) + "\n"


def _promises() -> str:
    parts = []
    for title, group in groupby(PROMISES, key=lambda promise: promise[0]):
        lines = [f"### {title}", ""]
        for _, promise, tests in group:
            lines += [f"- {promise}", *(f"  - {_link(test)}" for test in tests)]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    words = name.removeprefix("test_").replace("_", " ")
    return f"[{words}](../{path})"


if __name__ == "__main__":
    PAGE.write_text(render(Path(sys.argv[1])), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
