"""What the pages show as input is accepted: JSON, settings, rules, programs."""

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rrcli.core.inputs import check_schedule
from rrcli.operations import manifest, rules
from rrcli.settings import load
from tests.docs.markdown import ROOT, blocks, pages, prose, shell_lines

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
_JSON = re.compile(r"-d '(\{.*?\n?\})'", re.S)
_INLINE = re.compile(r"`(rrcli [^`\n]+)`")


def _named(found: list[tuple[Path, str]]) -> pytest.MarkDecorator:
    names = [f"{page.relative_to(ROOT)} {number}" for number, (page, _) in enumerate(found)]
    return pytest.mark.parametrize("text", [text for _, text in found], ids=names)


def _of_language(language: str) -> list[tuple[Path, str]]:
    return [(page, block.text) for page in pages() for block in blocks(page) if block.language == language]


_BODIES = [(page, body) for page, text in _of_language("bash") for body in _JSON.findall(text)]
_RULES = [
    (page, shlex.join(words))
    for page in pages()
    if page.name != "cli.md"
    for line in (*shell_lines(page), *_INLINE.findall(prose(page)))
    if line.startswith("rrcli ") and "--rrule" in (words := shlex.split(line))
]


@_named(_BODIES)
def test_a_schedule_in_json_is_accepted(text: str) -> None:
    values = check_schedule(json.loads(text), partial=False)
    assert rules.accept(values["rrule"], values.get("timezone"), anchor=NOW).after(NOW)


@_named(_RULES)
def test_a_rule_on_a_command_line_occurs(text: str) -> None:
    words = shlex.split(text)
    given = {name: words[index + 1] for index, name in enumerate(words) if name in ("--rrule", "--timezone")}
    assert rules.accept(given["--rrule"], given.get("--timezone"), anchor=NOW).after(NOW)


_DECLARED = re.compile(r"^(schedules|defaults|name):", re.MULTILINE)


@_named([(page, text) for page, text in _of_language("yaml") if _DECLARED.search(text)])
def test_declared_schedules_are_accepted(text: str) -> None:
    environment = dict.fromkeys(re.findall(r"\$\{(\w+)", text), "value")
    assert manifest.read([("example.yaml", text)], now=NOW, environment=environment)


@_named([(page, text) for page, text in _of_language("yaml") if not _DECLARED.search(text)])
def test_settings_are_accepted(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    assert load(file=str(file), environ={}).file == file


@_named(_of_language("python"))
def test_a_program_compiles(text: str) -> None:
    compile(text, "example", "exec")


def test_there_are_examples_of_each() -> None:
    assert _BODIES
    assert len(_RULES) >= 5
    assert _of_language("yaml")
    assert _of_language("python")
