"""Tables of a record in Markdown, and single figures out of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.results import text


def of_record(kept: Mapping[str, Any]) -> str:
    """A table of a record, with its note."""
    made = table(kept["columns"], kept["rows"])
    return f"{made}\n\n{kept['note']}" if kept["note"] else made


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table; columns of numbers stand right."""
    numeric = [
        bool(rows) and not any(isinstance(row[index], str) for row in rows) for index in range(len(columns))
    ]
    lines = [
        _line(columns),
        "|" + "|".join("---:" if right else "---" for right in numeric) + "|",
        *(_line([text(cell) for cell in row]) for row in rows),
    ]
    return "\n".join(lines)


def cell(record: Mapping[str, Any] | None, title: str, row: str, column: str) -> float | None:
    """A number of the first table whose title begins so and that has that row and column; None without it."""
    for kept in record["tables"] if record else ():
        if kept["title"].startswith(title) and column in kept["columns"]:
            place = kept["columns"].index(column)
            for cells in kept["rows"]:
                if cells[0] == row and isinstance(cells[place], int | float):
                    return float(cells[place])
    return None


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(each.replace("|", "\\|").replace("<", "&lt;") for each in cells) + " |"
