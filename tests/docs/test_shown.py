"""Every command and endpoint has tests that show it, and those exist."""

import re
import sys
from pathlib import Path

import click
import pytest
import yaml

from rrcli.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "docs"))

from shown_page import COMMANDS, OPERATIONS, PAGES  # noqa: E402

SHOWN = (*COMMANDS.values(), *OPERATIONS.values(), *PAGES.values())
TESTS = sorted({test for tests in SHOWN for test in tests})
_METHODS = ("get", "post", "put", "patch", "delete")


def leaves(command: click.Command, path: str = "") -> list[str]:
    """Every command that does something, by the words that call it."""
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found = ((name, command.get_command(context, name)) for name in command.list_commands(context))
    return [each for name, inner in found if inner for each in leaves(inner, f"{path} {name}".strip())]


def test_every_command_is_in_the_table() -> None:
    assert set(leaves(cli)) == set(COMMANDS)


def test_every_operation_of_the_rest_service_is_in_the_table() -> None:
    paths = yaml.safe_load((ROOT / "docs" / "openapi.yml").read_text())["paths"]
    stated = {
        f"{method.upper()} {path}" for path, item in paths.items() for method in _METHODS if method in item
    }
    assert stated == set(OPERATIONS)


@pytest.mark.parametrize("test", TESTS)
def test_a_linked_test_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)
