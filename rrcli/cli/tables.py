"""Tables and field lists as text that fits the terminal; no boxes, so that a pipe reads them as well.

Not rich's tables: importing them takes longer than most commands, and which column gives way first is a
decision of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from rrcli.cli.text import cells, pad, safe, shorten, wrap

_GAP = 2

STATE_COLOURS = {
    "active": "green",
    "paused": "yellow",
    "ready_queue": "blue",
    "worker_queue": "cyan",
    "retry": "yellow",
    "completed": "green",
    "error": "red",
    "skipped": "bright_black",
    "superseded": "bright_black",
    "cancelled": "bright_black",
    "alive": "green",
    "gone": "red",
    "absent": "red",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and its colour (a click colour name); `dim` for what matters less."""

    text: str
    colour: str | None = None
    dim: bool = False

    def styled(self, shown: str) -> str:
        """`shown` (this text, fitted) in this cell's style."""
        return click.style(shown, fg=self.colour, dim=self.dim or None) if self.colour or self.dim else shown


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `least` is the width it may shrink to (None: it does not shrink); when that is not
    enough, the column with the lowest `keep` goes first, and those with keep None never.
    """

    title: str
    right: bool = False
    least: int | None = None
    keep: int | None = None


Row = Sequence[Cell | str]


def state_cell(state: str) -> Cell:
    """A state in its colour."""
    return Cell(state, STATE_COLOURS.get(state))


def table(columns: Sequence[Column], rows: Sequence[Row], *, width: int | None, rule: bool = False) -> str:
    """The rows under their titles, in at most `width` columns; `rule` draws a line under the titles."""
    body = [[_cell(each) for each in row] for row in rows]
    naturals = [
        max(cells(column.title), *(cells(row[index].text) for row in body), 0)
        for index, column in enumerate(columns)
    ]
    empty = {index for index in range(len(columns)) if body and not any(row[index].text for row in body)}
    widths = _fit(columns, {i: n for i, n in enumerate(naturals) if i not in empty}, width)
    lines = [_line(columns, [Cell(column.title) for column in columns], widths, bold=True)]
    if rule:
        lines.append(click.style((" " * _GAP).join("─" * size for size in widths.values()), dim=True))
    lines += [_line(columns, row, widths) for row in body]
    return "\n".join(lines)


def fields(rows: Sequence[tuple[str, Cell | str]], *, width: int | None, indent: int = 2) -> str:
    """Labels and their values in two columns; long values go on in the second one."""
    label_width = max(cells(label) for label, _ in rows)
    start = indent + label_width + _GAP
    lines: list[str] = []
    for label, value in rows:
        cell = _cell(value, lines=True)
        texts = [
            part
            for line in cell.text.split("\n")
            for part in wrap(line, None if width is None else max(10, width - start))
        ]
        head = " " * indent + click.style(pad(label, label_width), dim=True) + " " * _GAP
        lines += [(" " * start if index else head) + cell.styled(text) for index, text in enumerate(texts)]
    return "\n".join(lines)


def title(text: str) -> str:
    """The heading of a section."""
    return click.style(text, bold=True)


def _cell(value: Cell | str, *, lines: bool = False) -> Cell:
    """A cell that cannot steer the terminal; with `lines`, its line breaks stay."""
    cell = value if isinstance(value, Cell) else Cell(value)
    text = "\n".join(map(safe, cell.text.split("\n"))) if lines else safe(cell.text)
    return Cell(text, cell.colour, cell.dim)


def _fit(columns: Sequence[Column], naturals: dict[int, int], width: int | None) -> dict[int, int]:
    """Column index -> width, for the columns that are shown."""
    widths = dict(naturals)
    if width is None:
        return widths
    while _excess(widths, width) > 0:
        _shrink(columns, widths, width)
        droppable = [index for index in widths if columns[index].keep is not None]
        if _excess(widths, width) <= 0 or not droppable:
            break
        del widths[min(droppable, key=lambda index: columns[index].keep or 0)]
        # What was shrunk in vain gets its room back before the next try.
        widths = {index: naturals[index] for index in widths}
    return widths


def _excess(widths: dict[int, int], width: int) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1) - width


def _shrink(columns: Sequence[Column], widths: dict[int, int], width: int) -> None:
    """Take cells from the widest column that can give one, until all fits or none can."""
    while _excess(widths, width) > 0:
        able = [index for index, size in widths.items() if (columns[index].least or size) < size]
        if not able:
            return
        widest = max(able, key=lambda index: widths[index])
        widths[widest] -= 1


def _line(
    columns: Sequence[Column], row: Sequence[Cell], widths: dict[int, int], *, bold: bool = False
) -> str:
    line, blanks = "", 0
    for index, size in widths.items():
        shown = shorten(row[index].text, size)
        free = size - cells(shown)
        before, after = (free, 0) if columns[index].right else (0, free)
        if shown:
            # Blanks are written when something follows, outside of any style: no line ends in them.
            line += " " * (blanks + before) + (
                click.style(shown, bold=True) if bold else row[index].styled(shown)
            )
            blanks = after + _GAP
        else:
            blanks += size + _GAP
    return line
