"""Alert rules and the Grafana dashboard: every expression parses, and asks for what is really exposed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from rrcli.core.models import EventState, ScheduleState
from rrcli.metrics import METRICS, PREFIX, Kind, Metric
from rrcli.operations.status import DAEMONS
from tests.docs.markdown import ROOT

RULES: list[dict[str, Any]] = yaml.safe_load((ROOT / "config/prometheus/alerts.yaml").read_text())["groups"][
    0
]["rules"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "config/grafana/dashboard.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]


def names_of(metric: Metric) -> list[str]:
    """The names under which its samples are asked for."""
    suffixes = ("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",)
    return [f"{PREFIX}{metric.name}{suffix}" for suffix in suffixes]


EXPOSED = {
    name: {*metric.labels, *(["le"] if name.endswith("_bucket") else [])}
    for metric in METRICS
    for name in names_of(metric)
}
METRICS_OF = {
    source: {name for metric in METRICS if source in metric.sources for name in names_of(metric)}
    for source in ("api", *DAEMONS)
}
VALUES = {
    "daemon": set(DAEMONS),
    "state": {*EventState, *ScheduleState},
    "queue": {"ready", "worker", "in_flight"},
    "reason": {"misfire", "overlap", "excluded"},
}


def expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")


def metrics_in(expression: str) -> list[str]:
    return re.findall(rf"{PREFIX}\w+", expression)


def matchers_in(expression: str) -> list[tuple[str, str, str]]:
    """Metric, label and value, for each label that is compared with a value."""
    selected = re.findall(rf"({PREFIX}\w+)\{{([^}}]*)\}}", expression)
    return [
        (metric, label, value)
        for metric, matchers in selected
        for label, value in re.findall(r'(\w+)="(\w+)"', matchers)
    ]


def grouped_by(expression: str) -> set[str]:
    groups = re.findall(r"by \(([^)]*)\)", expression)
    return {label for group in groups for label in re.split(r", *", group)}


@pytest.mark.parametrize(("name", "expression"), list(expressions()))
def test_an_expression_parses_and_names_what_is_exposed(name: str, expression: str) -> None:
    promql_parser.parse(expression)
    metrics = metrics_in(expression)
    assert metrics or "up{" in expression
    assert set(metrics) <= EXPOSED.keys()
    for metric, label, value in matchers_in(expression):
        assert label in EXPOSED[metric]
        assert value in VALUES[label]
    assert grouped_by(expression) <= {label for metric in metrics for label in EXPOSED[metric]}


def test_every_alert_says_what_it_is_and_what_to_do() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"].keys() == {"summary", "description"}


def test_panels_have_names_words_and_places_of_their_own() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert all(panel["title"] and panel["description"] for panel in PANELS)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
