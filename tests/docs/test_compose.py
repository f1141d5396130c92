"""The compose file: valid in form, and sound in what it says.

The form is checked with the `compose-spec` package where it is installed; the rest needs nothing.
"""

import re
from typing import Any

import pytest
import yaml

from rrcli.cli.main import cli
from rrcli.settings import keys, load
from tests.docs.markdown import ROOT

COMPOSE = ROOT / "docker" / "docker-compose.yml"
SHIPPED = str(ROOT / "config" / "config.yaml")
PROGRAMS = ("api", "prequeuer", "dispatcher", "worker")
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
_SERVICE_KEYS = {
    *(
        "build",
        "cap_drop",
        "command",
        "depends_on",
        "environment",
        "healthcheck",
        "image",
        "init",
        "networks",
    ),
    *("networks", "ports", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "volumes"),
}
_CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file with its variables at their defaults."""
    loaded: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(r"\2", COMPOSE.read_text(encoding="utf-8")))
    return loaded


def test_the_specification_accepts_the_file(compose: dict[str, Any]) -> None:
    specification = pytest.importorskip("compose_spec", reason="pip install compose-spec to check the form")
    specification.PyCompose.from_yaml(yaml.safe_dump(compose)).validate()


def test_names_lead_to_what_is_declared(compose: dict[str, Any]) -> None:
    assert set(compose) <= {"name", "services", "networks", "volumes", "x-program", "x-health"}
    for name, service in compose["services"].items():
        assert set(service) <= _SERVICE_KEYS, name
        assert set(service["networks"]) <= set(compose["networks"])
        assert {volume.partition(":")[0] for volume in service.get("volumes", ())} <= set(compose["volumes"])
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] in _CONDITIONS
            healthy = how["condition"] == "service_healthy"
            assert not healthy or "test" in compose["services"][other]["healthcheck"]


def test_no_database_is_published_and_the_api_on_loopback_only(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {"api": ["127.0.0.1:8080:8080"]}
    assert compose["networks"]["store"]["internal"] is True
    for name in ("mongo", "redis"):
        assert compose["services"][name]["networks"] == ["store"]


def test_every_program_runs_is_watched_and_waits_for_its_servers(compose: dict[str, Any]) -> None:
    for name in PROGRAMS:
        service = compose["services"][name]
        assert service["command"] == (["api"] if name == "api" else ["daemon", name])
        assert service["healthcheck"]["test"][-1] == name
        assert service["restart"] == "unless-stopped"
        waits = {other: how["condition"] for other, how in service["depends_on"].items()}
        assert waits == {
            "store-init": "service_completed_successfully",
            "mongo": "service_healthy",
            "redis": "service_healthy",
        }


def test_commands_are_commands_of_rrcli(compose: dict[str, Any]) -> None:
    for name in (*PROGRAMS, "store-init"):
        command: Any = cli
        for word in compose["services"][name]["command"]:
            command = command.get_command(None, word)
            assert command is not None, f"{name}: there is no {word}"


def test_the_environment_is_one_that_the_settings_accept(compose: dict[str, Any]) -> None:
    known = {key.env for key in keys()}
    for name in (*PROGRAMS, "store-init"):
        given = {variable: str(value) for variable, value in compose["services"][name]["environment"].items()}
        assert set(given) <= known
        settings = load(file=SHIPPED, environ=given).settings
        assert settings.mongo.uri == "mongodb://mongo:27017"
        assert settings.redis.host == "redis"


def test_servers_are_new_enough(compose: dict[str, Any]) -> None:
    images = {name: compose["services"][name]["image"].split(":") for name in ("mongo", "redis")}
    assert {name: image for name, (image, _) in images.items()} == {"mongo": "mongo", "redis": "redis"}
    assert int(images["mongo"][1]) >= 6
    assert int(images["redis"][1]) >= 7


def test_a_worker_has_its_grace_and_a_margin_to_stop(compose: dict[str, Any]) -> None:
    given = int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s"))
    assert given > load(file=SHIPPED, environ={}).settings.worker.grace_seconds
