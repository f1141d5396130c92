"""docs/performance.md and docs/capacity.md are made from whatever records there are."""

import importlib
import json
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.capacity_figures import MEASURED
from tests.benchmarks import capacity_page, page, plot
from tests.benchmarks.__main__ import BY_NAME, NAMES, module_of
from tests.docs.markdown import ROOT

MACHINE = {"processors": 2, "model": "A processor", "memory_gib": 8, "python": "3.11", "rrule-scheduler": "1"}


def record(name, **fields):
    kept = {"name": name, "quick": False, "tables": [], "targets": [], "curves": [], "figures": {}}
    said = {"measured_at": "2026-11-23", "command": f"python -m tests.benchmarks.{name}", "machine": MACHINE}
    return kept | said | fields


TICK = record(
    "tick",
    tables=[
        {
            "title": "Ticks",
            "columns": ["schedules", "ms"],
            "rows": [[1000, 1.25], [1_000_000, 2.0]],
            "note": "n.",
        }
    ],
    targets=[
        {"what": "a tick", "asked": "<= 1 ms", "reached": "2 ms", "met": False},
        {"what": "growth", "asked": "<= 2 x", "reached": "1.6 x", "met": True},
    ],
    curves=[
        {"title": "Tick | schedules", "work": "schedules", "cost": "ms", "points": [[10, 1], [1000, 10]]}
    ],
)


def test_without_records_everything_is_named_and_said_to_be_not_measured():
    made = page.page({})
    assert "Not measured." in made
    for name in ("startup", "worker --embedded", "growth"):
        assert f"- `python -m tests.benchmarks {name}`" in made


def test_what_was_missed_stands_first_with_its_command_and_machine():
    made = page.page({"tick": TICK})
    lines = made.splitlines()
    assert "1 of 2 met." in lines
    assert lines[lines.index("1 of 2 met.") + 4 :][:2] == [
        "| **missed** | a tick | &lt;= 1 ms | 2 ms | [tick](#tick) |",
        "| met | growth | &lt;= 2 x | 1.6 x | [tick](#tick) |",
    ]
    assert "| 1,000,000 | 2 |" in lines
    assert "`python -m tests.benchmarks.tick`, 2026-11-23, 2 processors (A processor), 8 GiB" in made
    assert "![Tick | schedules](pictures/performance/tick-tick-schedules.svg)" in made
    assert "power 0.50" in made


def test_a_record_says_how_fast_the_machine_was():
    assert "rrule-scheduler 1; loop step 110 ns before, 181 ns after" in page.page(
        {"tick": TICK | {"loop_ns": [110.2, 180.9]}}
    )


def test_quick_runs_have_no_place_on_the_page(tmp_path):
    (tmp_path / "tick.json").write_text(json.dumps(TICK))
    (tmp_path / "flow-quick.json").write_text(json.dumps(TICK | {"quick": True}))
    assert list(page.read(tmp_path)) == ["tick"]


def test_every_picture_is_one(tmp_path):
    ((name, picture),) = page.pictures({"tick": TICK}).items()
    assert name == "tick-tick-schedules.svg"
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert "prefers-color-scheme: dark" in picture


@given(
    st.floats(0.001, 1000),
    st.floats(-2, 3),
    st.lists(st.floats(0.1, 1e7), min_size=2, max_size=8, unique_by=lambda each: round(each, 1)),
)
def test_a_power_law_is_fitted_exactly_and_can_be_drawn(factor, exponent, works):
    points = [(work, factor * work**exponent) for work in works]
    found = plot.fit(points)
    assert found is not None
    assert found[1] == pytest.approx(exponent, abs=1e-6)
    ElementTree.fromstring(plot.draw("<t> & u", "w", "c", points))


@pytest.mark.parametrize("points", [[], [(1, 1)], [(5, 1), (5, 2)], [(0, 0), (1, 0)]])
def test_too_few_points_have_no_exponent_and_still_a_picture(points):
    assert plot.fit(points) is None
    ElementTree.fromstring(plot.draw("t", "w", "c", points))


def test_the_capacity_page_has_a_place_for_every_part():
    old = (ROOT / "docs" / "capacity.md").read_text()
    made = capacity_page.parts(MEASURED, {})
    new = capacity_page.filled(old, made)
    assert all(part in new for part in made.values())
    assert capacity_page.filled(new, made) == new
    with pytest.raises(ValueError, match="no part"):
        capacity_page.filled("# Capacity", made)


def test_predictions_stand_beside_what_other_benchmarks_measured():
    rows = [
        ["mongo_redis, dense", 200, 9000.0],
        ["mongo_redis, unlike", 100_000, 1e6 / MEASURED.prequeue.busy_us],
    ]
    measured = {
        "title": "A window of 100,000",
        "columns": ["store, load", "schedules", "events/s"],
        "rows": rows,
    }
    made = capacity_page.parts(MEASURED, {"prequeue": record("prequeue", tables=[measured | {"note": ""}])})
    assert "| a prequeuer's events/s, a schedule and a rule for each event | `prequeue` |" in made["tried"]
    assert "| +0% |" in made["tried"]


def test_the_written_figures_are_read_back(tmp_path):
    source = capacity_page.source(MEASURED)
    assert (ROOT / "rrcli" / "core" / "capacity_figures.py").read_text() == source
    found: dict = {}
    exec(source, found)
    assert found["MEASURED"] == MEASURED


MODULES = {module for each in (*NAMES, *BY_NAME) if (module := module_of(each.split()[0]))}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_benchmark_can_be_imported(module):
    is_package = (ROOT / "tests" / "benchmarks" / module).is_dir()
    importlib.import_module(f"tests.benchmarks.{module}" + (".__main__" if is_package else ""))


def test_the_pages_say_what_the_records_say():
    """A figure that was changed by hand, or measured and not written down, is found."""
    records = page.read(page.FOLDER)
    assert (ROOT / "docs" / "performance.md").read_text(encoding="utf-8") == page.page(records)
    capacity = (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")
    assert capacity_page.filled(capacity, capacity_page.parts(MEASURED, records)) == capacity
    assert capacity_page.figures_of(records["capacity"]) == MEASURED
