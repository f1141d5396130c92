"""What the tests read out of Markdown: links, anchors, code blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)
_LINK = re.compile(r"(?<!`)!?\[[^\]\n]*(?:\n[^\]\n]*)?\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *#*$", re.M)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code."""

    language: str
    text: str


def pages() -> list[Path]:
    """README, CONTRIBUTING, CHANGELOG and everything in docs/."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks, in order, without their indentation."""
    found = []
    for match in _FENCE.finditer(page.read_text(encoding="utf-8")):
        indent = len(match["indent"])
        lines = [line[indent:] for line in match["text"].splitlines()]
        found.append(Block(match["language"], "\n".join(lines)))
    return found


def links(page: Path) -> list[str]:
    """The targets of all links and pictures outside code."""
    return [match["target"] for match in _LINK.finditer(prose(page))]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    seen: dict[str, int] = {}
    made = set()
    for heading in _HEADING.finditer(prose(page)):
        anchor = _slug(heading["title"])
        count = seen.get(anchor, 0)
        seen[anchor] = count + 1
        made.add(f"{anchor}-{count}" if count else anchor)
    return made


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def shell_lines(page: Path) -> Iterator[str]:
    """Commands of bash blocks, and of console blocks after their `$ `; continued lines in one."""
    for block in blocks(page):
        text = block.text.replace("\\\n", " ")
        if block.language == "bash":
            yield from (line.strip() for line in text.splitlines())
        elif block.language == "console":
            yield from (line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ "))


def _slug(title: str) -> str:
    words = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
