"""Fills docs/capacity.md in: the parts between its marks are made from the record of `capacity`.

The same figures go to rrcli/core/capacity_figures.py, where `rrcli simulate` finds them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from rrcli.core.capacity import Figures, Fleet, Hardware, Size, Stage, need
from rrcli.core.capacity_figures import MEASURED
from tests.benchmarks import markdown

Record = Mapping[str, Any]

FLEETS = {
    "1 M daily": Fleet(schedules=1_000_000, events_per_schedule_and_day=1),
    "1 M hourly": Fleet(schedules=1_000_000, events_per_schedule_and_day=24),
    "10 M daily": Fleet(schedules=10_000_000, events_per_schedule_and_day=1),
    "10 M hourly": Fleet(schedules=10_000_000, events_per_schedule_and_day=24),
    "100 M daily": Fleet(schedules=100_000_000, events_per_schedule_and_day=1),
    "100 M hourly": Fleet(schedules=100_000_000, events_per_schedule_and_day=24),
}

ELSEWHERE: tuple[tuple[str, str, tuple[str, str, str], Callable[[Figures, int], float]], ...] = (
    (
        "worker",
        "a worker's events/s, a schedule for each event",
        ("", "a schedule for each event", "events/s"),
        lambda figures, cores: figures.drain_per_second(cores),
    ),
    (
        "prequeue",
        "a prequeuer's events/s, a schedule and a rule for each event",
        ("A window of", "mongo_redis, unlike", "events/s"),
        lambda figures, _: 1_000_000 / figures.prequeue.busy_us,
    ),
    (
        "memory",
        "bytes of Redis for a queued event",
        ("Bytes for each record, mongo_redis", "redis memory", "bytes per queued event"),
        lambda figures, _: figures.queued_event.redis_bytes,
    ),
)
"""What other benchmarks measure: record, what, its table, row and column, and what the model says."""


def write(root: Path, records: Mapping[str, Record]) -> None:
    """The page with its parts anew; the figures of the code too, where they were measured."""
    record = records.get("capacity")
    page = root / "docs" / "capacity.md"
    figures = MEASURED
    if record is not None:
        figures = figures_of(record)
        (root / "rrcli" / "core" / "capacity_figures.py").write_text(source(figures), encoding="utf-8")
    if page.exists():
        old = page.read_text(encoding="utf-8")
        page.write_text(filled(old, parts(figures, records)), encoding="utf-8")


def figures_of(record: Record) -> Figures:
    """The model's parameters as the benchmark measured them, to four digits: as the code has them."""
    kept = record["figures"]["model"]
    stages = {name: Stage(**_rounded(kept[name])) for name in ("prequeue", "dispatch", "work")}
    sizes = {name: Size(**_rounded(kept[name])) for name in ("schedule", "queued_event", "finished_event")}
    machine = record["machine"]
    measured = f"{record['measured_at']} on {machine['processors']} processors ({machine['model']})"
    receiver_cpu_us = _four_digits(kept["receiver_cpu_us"])
    return Figures(measured=measured, receiver_cpu_us=receiver_cpu_us, **stages, **sizes)


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: _four_digits(value) for name, value in figures.items()}


def _four_digits(value: float) -> float:
    return float(f"{value:.4g}")


def parts(figures: Figures, records: Mapping[str, Record]) -> dict[str, str]:
    """Name of a part -> Markdown."""
    return {
        "parameters": _parameters(figures, records.get("capacity")),
        "tried": _tried(figures, records),
        "fleets": _fleets(figures),
    }


def filled(page: str, made: Mapping[str, str]) -> str:
    """The page with what stands between `<!-- NAME: ... -->` and `<!-- end -->` replaced."""
    for name, text in made.items():
        pattern = re.compile(rf"(<!-- {name}:[^>]*-->\n).*?(\n<!-- end -->)", re.DOTALL)
        if not pattern.search(page):
            raise ValueError(f"docs/capacity.md has no part {name!r}")
        page = pattern.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page)  # noqa: B023  # called at once
    return page


def _parameters(figures: Figures, record: Record | None) -> str:
    said = [f"Measured {figures.measured}."]
    if record is None:
        return f"{said[0]} The tables are not measured: run `python -m tests.benchmarks capacity`."
    return "\n\n".join(said + [markdown.of_record(each) for each in record["tables"][:2]])


def _tried(figures: Figures, records: Mapping[str, Record]) -> str:
    """What the model foretold beside what other programs measured."""
    found = []
    if record := records.get("capacity"):
        found.append(markdown.of_record(record["tables"][2]))
    rows = []
    for name, what, place, predicted in ELSEWHERE:
        measured = markdown.cell(records.get(name), *place)
        if measured is not None:
            model = predicted(figures, records[name]["machine"]["processors"])
            rows.append((what, f"`{name}`", model, measured, f"{model / measured - 1:+.0%}"))
    if rows:
        found.append("Beside what other benchmarks measured:")
        columns = ("what", "benchmark", "predicted", "measured", "prediction is off by")
        found.append(markdown.table(columns, rows))
    return "\n\n".join(found) or "Not measured."


def _fleets(figures: Figures) -> str:
    hardware = Hardware()
    columns = ["", *FLEETS]
    needs = {name: need(fleet, figures, hardware) for name, fleet in FLEETS.items()}
    rows: list[list[Any]] = [
        ["events/s, mean", *(fleet.mean_per_second for fleet in FLEETS.values())],
        ["events/s, peak", *(fleet.peak_per_second for fleet in FLEETS.values())],
    ]
    for label, name in (
        ("worker processes", "workers"),
        ("dispatchers, see below", "dispatchers"),
        ("prequeuers, see below", "prequeuers"),
        ("cores for daemons", "daemon_cores"),
        ("MongoDB shards", "shards"),
        ("MongoDB, cores", "mongo_cores"),
        ("MongoDB, GiB of memory", "mongo_memory_gib"),
        ("MongoDB, GiB of disk", "mongo_disk_gib"),
        ("Redis masters, partitions", "redis_masters"),
        ("Redis, cores", "redis_cores"),
        ("Redis, GiB of memory", "redis_memory_gib"),
    ):
        rows.append([label, *(getattr(each, name) for each in needs.values())])
    return markdown.table(columns, rows)


def source(figures: Figures) -> str:
    """rrcli/core/capacity_figures.py"""
    return (
        '"""What one schedule and one event cost, as last measured; '
        'made by `make bench` (tests/benchmarks/page.py)."""\n\n'
        "from rrcli.core.capacity import Figures, Size, Stage\n\n"
        f"MEASURED = {_literal(figures, 0)}\n"
    )


def _literal(value: Any, depth: int) -> str:
    """A dataclass as the call that makes it, laid out as ruff does."""
    if not is_dataclass(value):
        return repr(value) if isinstance(value, float) else f'"{value}"'
    inner = "    " * (depth + 1)
    lines = [
        f"{inner}{each.name}={_literal(getattr(value, each.name), depth + 1)},\n" for each in fields(value)
    ]
    return f"{type(value).__name__}(\n{''.join(lines)}{'    ' * depth})"
