"""iCalendar content lines (RFC 5545 3.1): unfolding, names and parameters, with positions.

Every refusal names the offset, in characters of the text that was given, at which it applies.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from rrcli.errors import InvalidRule

LONGEST_RULE_CHARACTERS = 6_500
# Room for the most dates that are accepted (10,000), each on a line with a long zone name.
LONGEST_TEXT_CHARACTERS = 1_000_000
MOST_LINES = 25_000
PROPERTIES = ("DTSTART", "RRULE", "RDATE", "EXDATE", "EXRULE")

_BARE_RULE = re.compile(r"[A-Za-z0-9-]+=")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=("[^"\x00-\x1f\x7f]*"|[^";:,\x00-\x1f\x7f]*)')
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

Folds = tuple[tuple[int, int], ...]


def refuse(message: str, part: str, value: str, position: int | None, hint: str | None = None) -> InvalidRule:
    """The error for a text that is not accepted; long values are shortened."""
    shown = value if len(value) <= 80 else value[:77] + "..."
    where = "" if position is None else f" (at character {position})"
    return InvalidRule(f"{part}: {message}{where}", part=part, value=shown, position=position, hint=hint)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A property parameter: upper-case name, value without quotes, and where it stands."""

    name: str
    value: str
    position: int


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One unfolded line: upper-case name, parameters, and the value with its positions."""

    name: str
    parameters: tuple[Parameter, ...]
    value: str
    position: int
    _folds: Folds
    _start: int

    def at(self, offset: int) -> int:
        """Where in the given text the character `offset` of the value stands."""
        return _original(self._folds, self._start + offset)


def content_lines(text: str) -> Iterator[ContentLine]:
    """The properties of a recurrence text; a bare `FREQ=…` stands for one RRULE line."""
    if len(text) > LONGEST_TEXT_CHARACTERS:
        raise refuse(f"longer than {LONGEST_TEXT_CHARACTERS} characters", "text", text, 0)
    if unseen := _UNSEEN.search(text.replace("\r\n", "\n\n")):
        raise refuse("a control character", "text", repr(unseen.group()), unseen.start())
    if text.count("\n") > MOST_LINES:
        raise refuse(f"more than {MOST_LINES} lines", "text", text, 0)
    bare = None
    count = 0
    for count, (line, folds) in enumerate(_unfolded(text), start=1):
        is_bare = _BARE_RULE.match(line) is not None
        if bare or (is_bare and count > 1):
            position = _original(folds, 0)
            raise refuse("a rule among other lines has to begin with RRULE:", "RRULE", bare or line, position)
        if is_bare:
            bare = line
            yield ContentLine("RRULE", (), line, _original(folds, 0), folds, 0)
        else:
            yield _content_line(line, folds)
    if not count:
        raise refuse("nothing here", "RRULE", text, 0, "Give a rule such as FREQ=DAILY")


def _unfolded(text: str) -> Iterator[tuple[str, Folds]]:
    """Logical lines, each with (index in the line, offset in the text) of its pieces."""
    pieces: list[str] = []
    folds: list[tuple[int, int]] = []
    length = offset = 0
    for raw in text.split("\n"):
        line = raw.removesuffix("\r")
        if line.strip():
            if pieces and line[0] in " \t":
                start = 1
            else:
                if pieces:
                    yield "".join(pieces).rstrip(), tuple(folds)
                pieces, folds, length = [], [], 0
                start = len(line) - len(line.lstrip())
            pieces.append(line[start:])
            folds.append((length, offset + start))
            length += len(line) - start
        offset += len(raw) + 1
    if pieces:
        yield "".join(pieces).rstrip(), tuple(folds)


def _original(folds: Folds, index: int) -> int:
    start, offset = folds[max(bisect_right(folds, (index, 1 << 62)) - 1, 0)]
    return offset + index - start


def _content_line(line: str, folds: Folds) -> ContentLine:
    start = _original(folds, 0)
    match = _NAME.match(line)
    name = match.group().upper() if match else ""
    if name not in PROPERTIES:
        raise refuse(f"not one of {', '.join(PROPERTIES)}", name or "line", line, start)
    index = len(name)
    parameters: list[Parameter] = []
    while parameter := _PARAMETER.match(line, index):
        position = _original(folds, parameter.start(2))
        key = parameter.group(1).upper()
        if any(other.name == key for other in parameters):
            raise refuse("the parameter is repeated", key, parameter.group(2), position)
        parameters.append(Parameter(key, parameter.group(2).strip('"'), position))
        index = parameter.end()
    if line[index : index + 1] != ":":
        raise refuse("a colon and a value are missing", name, line, _original(folds, index))
    return ContentLine(name, tuple(parameters), line[index + 1 :], start, folds, index + 1)
