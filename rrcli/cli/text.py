"""Text from users and servers, made safe to show on a terminal, and measured in terminal cells."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""Control characters, and those that reorder or hide text: a name must not be able to forge a line."""

_TOGETHER = re.compile(r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|\\[nrt]|[\U0001f1e6-\U0001f1ff]{2}")
"""What is seen as one, and is several characters to everybody else: the escapes of `safe`, and flags."""

_JOINED = re.compile(
    "(?<=[\u0600-\u109f\u1780-\u17ff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])"
    "[\u200c\u200d](?=[\u0600-\u109f\u1780-\u17ff\u2190-\u2bff\U0001f000-\U0001faff])"
)
"""Joiners where they belong: within an emoji, and between letters of Arabic and Indic scripts."""


def safe(text: str) -> str:
    r"""The text on one line, with everything that could steer a terminal written as an escape (`\x1b`)."""
    if text.isascii() or not _JOINED.search(text):
        return _UNSAFE.sub(_escape, text)
    between = [*_JOINED.findall(text), ""]
    parts = [_UNSAFE.sub(_escape, part) for part in _JOINED.split(text)]
    return "".join(map(str.__add__, parts, between))


def safe_json(text: str) -> str:
    """JSON with the characters that JSON allows raw, and terminals obey, written as escapes."""
    return re.sub("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", _escape_json, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _escape_json(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def cells(text: str) -> int:
    """How many terminal cells the text takes: wide characters take two, combining ones none."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(size for _, size in _units(text))


def shorten(text: str, width: int) -> str:
    """The text in at most `width` cells, with … where something was cut off."""
    if cells(text) <= width:
        return text
    return f"{_beginning(text, width - 1).rstrip()}…"


def _beginning(text: str, width: int) -> str:
    """The longest beginning of the text that takes at most `width` cells; no unit of it is cut in two."""
    kept: list[str] = []
    for unit, size in _units(text):
        if size > width:
            break
        kept.append(unit)
        width -= size
    return "".join(kept)


def _units(text: str) -> Iterator[tuple[str, int]]:
    r"""What must not be cut in two, with its cells: an escape (`\x1b`), or what is seen as one character."""
    start = 0
    for found in _TOGETHER.finditer(text):
        yield from _graphemes(text[start : found.start()])
        yield found[0], len(found[0]) if found[0].isascii() else 2
        start = found.end()
    yield from _graphemes(text[start:])


def _graphemes(text: str) -> Iterator[tuple[str, int]]:
    """Characters with all that is drawn upon them (UAX #29, in the form that rich knows)."""
    if text.isascii():
        yield from ((each, int(each.isprintable())) for each in text)
        return
    from rich.cells import split_graphemes

    yield from ((text[start:end], size) for start, end, size in split_graphemes(text)[0])


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text filled with blanks to `width` cells."""
    blanks = " " * max(0, width - cells(text))
    return blanks + text if right else text + blanks


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 event`, `2 events`, `12,000 events`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def wrap(text: str, width: int | None) -> list[str]:
    """The text in lines of at most `width` cells (None: one line), broken at blanks where there are any."""
    lines: list[str] = []
    while width is not None and cells(text) > width:
        fitting = _beginning(text, width) or text[:width]
        head, blank, _ = fitting.rpartition(" ")
        cut_in_a_word = text[len(fitting)] != " "
        line = head if cut_in_a_word and blank and head.strip() else fitting
        lines.append(line)
        text = text[len(line) :].lstrip(" ")
    return [*lines, text]


def short_ids(ids: Sequence[str], least: int = 8) -> dict[str, str]:
    """Each id with a beginning that tells it from the others here, and most likely from all others."""
    in_order = sorted(ids)
    shared = max((_common(a, b) for a, b in pairwise(in_order)), default=0)
    # Two digits more than these need, for those that are not here.
    length = max(least, shared + 3)
    return {each: each[:length] for each in ids}


def _common(one: str, other: str) -> int:
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
