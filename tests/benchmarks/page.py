"""Writes docs/performance.md and its pictures from the records, and fills in docs/capacity.md.

Run with `python -m tests.benchmarks.page`, as `make bench` does at its end. What has no record is shown as
not measured; a quick run has no record.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks import capacity_page, markdown, plot
from tests.benchmarks.__main__ import BY_NAME, HERE, NAMES, module_of
from tests.benchmarks.results import FOLDER

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "performance.md"
PICTURES = ROOT / "docs" / "pictures" / "performance"

Record = Mapping[str, Any]

HEAD = """\
# Performance

<!-- Made by tests/benchmarks/page.py from the records there; `make bench` measures and writes it anew. -->

Every figure is measured by a program of [`tests/benchmarks`](../tests/benchmarks/__main__.py), on real
servers and real processes, all on one machine. `make bench` repeats it; beside each table stands the command
that makes it. Ratios compare two things measured in the same run: they carry over to other machines, absolute
figures do not. What the figures mean for a fleet is in [Capacity](capacity.md).

The machine is a virtual one, and its speed changes by the hour. So a record says how long a step of a plain
Python loop took before and after the run, with every processor at it.
"""


def main() -> int:
    """Write the pages."""
    records = read(FOLDER)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.svg"):
        old.unlink()
    for name, picture in pictures(records).items():
        (PICTURES / name).write_text(picture, encoding="utf-8")
    PAGE.write_text(page(records), encoding="utf-8")
    capacity_page.write(ROOT, records)
    print(f"wrote {PAGE.relative_to(ROOT)} from {len(records)} records")
    return 0


def read(folder: Path) -> dict[str, Record]:
    """Records of full runs by name: first those of `make bench` in their order, then the others."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if not record.get("quick"):
            found[path.stem] = record
    first = [_record_name(name) for name in NAMES]
    return {name: found[name] for name in [*(each for each in first if each in found), *found]}


def page(records: Mapping[str, Record]) -> str:
    """docs/performance.md"""
    parts = [HEAD.rstrip(), "## Targets", *_targets(records)]
    for name, record in records.items():
        parts += _section(name, record)
    wanted = [_record_name(name) for name in (*NAMES, *BY_NAME)]
    absent = [name for name in dict.fromkeys(wanted) if name not in records]
    if absent:
        parts.append("## Not measured")
        parts.append("\n".join(f"- `{_command(name)}`{_about(name)}" for name in absent))
    return "\n\n".join(parts) + "\n"


def pictures(records: Mapping[str, Record]) -> dict[str, str]:
    """File name -> SVG, of every curve."""
    return {
        _picture(name, curve): plot.draw(curve["title"], curve["work"], curve["cost"], curve["points"])
        for name, record in records.items()
        for curve in record["curves"]
    }


def _targets(records: Mapping[str, Record]) -> Iterator[str]:
    """What was asked and what was reached; what was missed comes first."""
    rows = [
        ("met" if target["met"] else "**missed**", target["what"], target["asked"], target["reached"], name)
        for name, record in records.items()
        for target in record["targets"]
    ]
    if not rows:
        yield "Not measured."
        return
    met = sum(row[0] == "met" for row in rows)
    yield f"{met} of {len(rows)} met."
    rows.sort(key=lambda row: row[0] == "met")
    linked = [(*row[:-1], f"[{row[-1]}](#{row[-1]})") for row in rows]
    yield markdown.table(("", "what", "asked", "reached", "benchmark"), linked)
    missed = [each for record in records.values() for each in record["targets"] if each.get("why")]
    if missed:
        yield "What stands in the way of the missed ones:"
        yield "\n".join(f"- {each['what']}: {each['why']}" for each in missed)


def _section(name: str, record: Record) -> Iterator[str]:
    yield f"## {name}"
    yield _docstring(name)
    yield f"`{record['command']}`, {record['measured_at']}, {_machine(record['machine'])}{_pace(record)}"
    for each in record["tables"]:
        yield f"### {each['title']}"
        yield markdown.of_record(each)
    for curve in record["curves"]:
        fitted = plot.fit(curve["points"])
        says = f" The cost grows as the work to the power {fitted[1]:.2f}." if fitted else ""
        yield f"![{curve['title']}](pictures/performance/{_picture(name, curve)})\n\n{curve['title']}.{says}"


def _machine(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['processors']} processors ({machine['model']}), {machine['memory_gib']} GiB, "
        f"Python {machine['python']}, rrule-scheduler {machine['rrule-scheduler']}"
    )


def _pace(record: Record) -> str:
    """How fast the machine was at that time, where the record says it."""
    found = record.get("loop_ns")
    return f"; loop step {found[0]:.0f} ns before, {found[1]:.0f} ns after" if found else ""


def _picture(name: str, curve: Mapping[str, Any]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", curve["title"].lower()).strip("-")
    return f"{name}-{slug}.svg"


def _record_name(words: str) -> str:
    """`worker-embedded` for `worker --embedded`: how benchmarks name the records of their variants."""
    return "-".join(word.removeprefix("--") for word in words.split())


def _command(name: str) -> str:
    words = next((each for each in (*NAMES, *BY_NAME) if _record_name(each) == name), name)
    return f"python -m tests.benchmarks {words}"


def _about(name: str) -> str:
    said = _docstring(name)
    return f": {said}" if said else ""


def _docstring(name: str) -> str:
    """The first sentence of the benchmark's own description."""
    module = module_of(name) or module_of(name.partition("-")[0])
    if module is None:
        return ""
    file = HERE / f"{module}.py"
    source = (file if file.exists() else HERE / module / "__main__.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
