"""Each program under its own command, as service managers start it, and what Prometheus gets from it."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from rrcli.settings import EmbeddedSettings, Settings
from tests.docs.test_monitoring import EXPOSED, METRICS_OF, expressions, metrics_in
from tests.support.receiver import receiver
from tests.support.stack import DAEMONS, environment, free_port, wait_until

PROGRAMS = ("api", *DAEMONS)
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}


@contextmanager
def program(*command: str, env: Mapping[str, str], log: Path) -> Iterator[None]:
    """`rrcli` with that command; it still runs at the end, and ends in order on SIGTERM."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "rrcli", *command],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        code = process.wait(20)
    assert code == 0, log.read_text()


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Metric]]:
    """What each program shows after a call was made."""
    folder = tmp_path_factory.mktemp("programs")
    store = Settings(embedded=EmbeddedSettings(data_dir=str(folder / "data")))
    ports = {name: free_port() for name in PROGRAMS}
    shown = {f"METRICS_{name.upper()}_PORT": str(ports[name]) for name in DAEMONS}
    env = environment(store, API_PORT=str(ports["api"]), API_WORKERS="1", **shown)
    with ExitStack() as opened:
        hook = opened.enter_context(receiver())
        for name in PROGRAMS:
            words = ["api"] if name == "api" else ["daemon", name]
            opened.enter_context(program(*words, env=env, log=folder / name))
        for name in PROGRAMS:
            wait_until(lambda name=name: answers(ports[name]), what=f"the figures of {name}")
        url = f"http://127.0.0.1:{ports['api']}/api/schedules"
        body = {"name": "one", "rrule": "FREQ=DAILY", "callback_url": hook.url("/hook")}
        schedule_id = httpx.post(url, json=body).json()["id"]
        assert httpx.post(f"{url}/{schedule_id}/trigger").status_code == 201
        wait_until(lambda: 'outcome="success"' in page(ports["worker"]), what="the count of the call")
        return {name: list(text_string_to_metric_families(page(port))) for name, port in ports.items()}


def answers(port: int) -> bool:
    try:
        return bool(page(port))
    except httpx.TransportError:
        return False


def page(port: int) -> str:
    return httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).raise_for_status().text


def names(families: list[Metric]) -> set[str]:
    """The names under which samples of these families are asked for; a family may have no sample yet."""
    return {family.name + suffix for family in families for suffix in SUFFIXES.get(family.type, ("",))}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_under_its_own_command_and_shows_its_figures(
    name: str, scraped: dict[str, list[Metric]]
) -> None:
    assert names(scraped[name]) == METRICS_OF[name]


def test_alerts_and_panels_ask_for_what_a_real_stack_shows(scraped: dict[str, list[Metric]]) -> None:
    families = [each for shown in scraped.values() for each in shown]
    labels: dict[str, set[str]] = {}
    for sample in (each for family in families for each in family.samples):
        labels.setdefault(sample.name, set()).update(sample.labels)
    for name, expression in expressions():
        for metric in metrics_in(expression):
            assert metric in names(families), name
            assert labels.get(metric, EXPOSED[metric]) == EXPOSED[metric], name
