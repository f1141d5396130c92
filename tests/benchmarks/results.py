"""What a benchmark found: tables, targets and curves, printed and kept for docs/performance.md.

Records go to `records/NAME.json` beside this file, from where `tests.benchmarks.page` writes the page; they
are kept with it, so that one benchmark can be repeated without all the others. A figure carries
its unit in the name of its column; ratios compare two things measured in the same run.
"""

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from rrcli import __version__
from rrcli.clock import SystemClock

FOLDER = Path(__file__).parent / "records"
QUICK = Path("build/bench")

Cell = str | int | float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows under columns; a column's name says its unit (`events/s`, `tick ms`, `of bare client`)."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One line of the list of targets: what was asked, what was reached, and whether that is met.

    `why` says what stands in the way, by figures of the same run; it is shown where the target is missed.
    """

    what: str
    asked: str
    reached: str
    met: bool
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """Cost against work, for a log-log plot: `points` are (work, cost)."""

    title: str
    work: str
    cost: str
    points: Sequence[tuple[float, float]]


@dataclass(kw_only=True, slots=True)
class Results:
    """Everything one benchmark measured in one run."""

    name: str
    quick: bool = False
    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    """Numbers for other programs, JSON."""
    loop_ns: list[float] = field(default_factory=lambda: [loop_ns()])
    """What a step of a plain loop took before the run, and after it."""

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], note: str = ""
    ) -> None:
        """Keep and print a table."""
        self.tables.append(Table(title=title, columns=columns, rows=rows, note=note))
        shown = RichTable(title=title, title_justify="left", caption=note or None, caption_justify="left")
        for number, column in enumerate(columns):
            shown.add_column(column, justify="left" if number == 0 else "right")
        for row in rows:
            shown.add_row(*(text(cell) for cell in row))
        Console().print(shown)

    def target(self, what: str, *, asked: str, reached: str, met: bool, why: str = "") -> None:
        """Keep and print one line of the list of targets."""
        self.targets.append(Target(what=what, asked=asked, reached=reached, met=met, why="" if met else why))
        print(f"{'met   ' if met else 'MISSED'}  {what}: asked {asked}, reached {reached}", flush=True)

    def curve(self, title: str, *, work: str, cost: str, points: Sequence[tuple[float, float]]) -> None:
        """Keep a curve for `make bench-plots`; `work` and `cost` name the axes with their units."""
        self.curves.append(Curve(title=title, work=work, cost=cost, points=points))

    def save(self) -> Path:
        """Write the record; a quick run leaves the figures of a full one alone."""
        folder = QUICK if self.quick else FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        self.loop_ns.append(loop_ns())
        record = asdict(self) | {
            "measured_at": f"{SystemClock().now():%Y-%m-%d}",
            "command": f"python -m {self._module()} {shlex.join(sys.argv[1:])}".rstrip(),
            "machine": machine(),
        }
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        return path

    def _module(self) -> str:
        """The program that runs: a variant's record, `worker-embedded`, has another name than its module."""
        spec = sys.modules["__main__"].__spec__
        ours = spec is not None and spec.name.startswith("tests.benchmarks.")
        return spec.name.removesuffix(".__main__") if spec and ours else f"tests.benchmarks.{self.name}"


def text(cell: Cell) -> str:
    """A cell for people: thousands separated, three figures of what is small."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 1000:
        return f"{cell:,.0f}"
    return f"{cell:.3g}" if abs(cell) < 100 else f"{cell:.0f}"


_LOOP = """
from time import perf_counter
began, found = perf_counter(), 0
for number in range(2_000_000):
    found += number * number % 7
print((perf_counter() - began) / 2_000_000 * 1e9)
"""


def loop_ns() -> float:
    """Nanoseconds for a step of a plain Python loop while all processors are at it.

    A virtual machine is faster at some times than at others: this tells which absolute figures compare.
    """
    command = [sys.executable, "-c", _LOOP]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(os.cpu_count() or 1)
    ]
    return round(mean(float(each.communicate()[0]) for each in running), 1)


def machine() -> dict[str, Cell]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processors": os.cpu_count(),
        "model": _processor(),
        "memory_gib": round(memory / 2**30),
        "python": platform.python_version(),
        "rrule-scheduler": __version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
