"""The configuration file that documents every setting, made from their declarations."""

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby

from rrcli.settings import Key, Settings, keys

_HEAD = """\
# Settings of rrule-scheduler. Every key is here, commented out, with its default.
#
# A flag wins over the environment, the environment over this file. The file is looked for in
# --config, $RRCLI_CONFIG, ./config/config.yaml, ~/.config/rrule-scheduler/config.yaml and
# /etc/rrule-scheduler/config.yaml; `rrcli config show` tells each value and where it came from.
"""


def document() -> str:
    """The whole file, as YAML."""
    sections = [
        "\n".join(_section(name, list(declared)))
        for name, declared in groupby(keys(), key=lambda key: key.name.partition(".")[0])
    ]
    return "\n".join([_HEAD, *sections])


def section_docs() -> dict[str, str]:
    """What each section is about: the first line of its class."""
    return {each.name: _first_line(type(each.default).__doc__) for each in fields(Settings)}


def yaml_value(value: object) -> str:
    """A default as YAML; JSON is YAML."""
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]*", value):
        return value
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().split("\n")[0]


def _section(name: str, declared: list[Key]) -> Iterator[str]:
    yield f"# {section_docs()[name]}"
    yield f"{name}:"
    for key in declared:
        also = f" or {key.flag}" if key.flag else ""
        doc = f"{key.doc} Environment {key.env}{also}. Must be {key.check.allowed}."
        yield from (f"  # {line}" for line in textwrap.wrap(doc, 96))
        yield f"  # {key.name.partition('.')[2]}: {yaml_value(key.default)}"
        yield ""
