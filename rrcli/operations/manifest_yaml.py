"""YAML as values that know where in which file they stand.

The safe loader of PyYAML builds the values; what it lets through in silence is refused: a key that is given
twice, and aliases that unfold to more than anybody writes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from rrcli.errors import ABSENT, FieldError

MOST_CHARACTERS = 16 * 1024 * 1024
MOST_NODES = 1_000_000
_STEP = re.compile(r"\[(\d+)\]|([^.\[]+)")

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Node:
    """A value, the file and line where it begins, and the nodes of what it holds."""

    value: Any
    source: str
    _node: yaml.Node

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def line(self) -> int:
        """Counted from 1."""
        return int(self._node.start_mark.line) + 1

    @property
    def place(self) -> str:
        """`schedules.yaml:12`."""
        return f"{self.source}:{self.line}"

    def child(self, name: object) -> "Node | None":
        """The value of a key of a mapping."""
        for key, node in self._node.value if isinstance(self._node, yaml.MappingNode) else ():
            if key.value == name:
                return Node(self.value.get(name), self.source, node)
        return None

    def items(self) -> Iterator["Node"]:
        """The values of a list."""
        for value, node in zip(self.value, self._node.value, strict=True):
            yield Node(value, self.source, node)

    def line_of(self, path: str) -> int | None:
        """The line of `headers.X` or `tags[1]`, or of the nearest thing around it; None when nothing is."""
        node, line = self._node, None
        for index, name in _STEP.findall(path):
            inner = _at(node, int(index)) if index else _under(node, name)
            if inner is None:
                break
            node, line = inner, int(inner.start_mark.line) + 1
        return line


def _under(node: yaml.Node, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _at(node: yaml.Node, index: int) -> yaml.Node | None:
    items = node.value if isinstance(node, yaml.SequenceNode) else ()
    return items[index] if index < len(items) else None


def documents(source: str, text: str, errors: list[FieldError]) -> Iterator[Node]:
    """The documents of a YAML text; what is wrong with it is noted in `errors`, and ends it."""
    if len(text) > MOST_CHARACTERS:
        _refuse(errors, source, f"must have at most {MOST_CHARACTERS:,} characters")
        return
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None
            if _is_sound(node, source, errors):
                yield Node(loader.construct_document(node), source, node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be read"
        _refuse(
            errors,
            f"{source}:{mark.line + 1}" if mark else source,
            f"must be YAML: {problem}{_hint(problem)}",
        )
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        _refuse(errors, source, f"must be YAML: {str(error)[:200] or type(error).__name__}")
    finally:
        loader.dispose()


def _hint(problem: str) -> str:
    """Cron lines begin with the sign that YAML has for aliases."""
    return "; put what begins with * in quotes" if re.search("alias|alphabetic", problem) else ""


def _is_sound(root: yaml.Node, source: str, errors: list[FieldError]) -> bool:
    """Whether no key stands twice in a mapping and the whole is no larger than what a person means."""
    waiting, seen, sound = [root], 0, True
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > MOST_NODES:
            _refuse(errors, source, f"must hold at most {MOST_NODES:,} values, aliases unfolded")
            return False
        if isinstance(node, yaml.MappingNode):
            sound = _has_no_double(node, source, errors) and sound
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
    return sound


def _has_no_double(node: yaml.MappingNode, source: str, errors: list[FieldError]) -> bool:
    known: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            _refuse(errors, f"{source}:{key.start_mark.line + 1}", "must have names that are plain text")
            return False
        if key.value in known and key.value != "<<":
            _refuse(
                errors, f"{source}:{key.start_mark.line + 1}", f"has {key.value[:80]} twice in one mapping"
            )
            return False
        known.add(key.value)
    return True


def _refuse(errors: list[FieldError], place: str, allowed: str) -> None:
    errors.append(FieldError(field=place, value=ABSENT, allowed=allowed))


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they look, lists under the key that they belong to."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    # The emitter takes quotes by itself where a block cannot hold the text.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dump(data: object) -> str:
    """Plain values as YAML that reads back the same."""
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000))
