"""Text from users and servers, made safe to show on a terminal, and measured in terminal cells."""

import re
from collections.abc import Sequence
from itertools import pairwise

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\ufffb]"
)
"""Control characters, and those that reorder or hide text: a name must not be able to forge a line."""


def safe(text: str) -> str:
    r"""The text on one line, with everything that could steer a terminal written as an escape (`\x1b`)."""
    return _UNSAFE.sub(_escape, text)


def safe_json(text: str) -> str:
    """JSON with the characters that JSON allows raw, and terminals obey, written as escapes."""
    return re.sub("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", _escape_json, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _escape_json(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def cells(text: str) -> int:
    """How many terminal cells the text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def shorten(text: str, width: int) -> str:
    """The text in at most `width` cells, with … where something was cut off."""
    if cells(text) <= width:
        return text
    return f"{_beginning(text, width - 1).rstrip()}…"


def _beginning(text: str, width: int) -> str:
    """The longest beginning of the text that takes at most `width` cells."""
    kept = ""
    for each in text:
        if cells(kept + each) > width:
            break
        kept += each
    return kept


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
        fitting = _beginning(text, width) or text[0]
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
