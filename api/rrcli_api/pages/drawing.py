"""What the pages draw: bars of the last runs, and a calendar of days. Places and classes, no colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log10

from rrcli.core.models import EventState
from rrcli.operations.days import Day
from rrcli.repository.base import Run

SPARK_HEIGHT = 24
SPARK_STEP = 5
CELL = 14
_LEFT = 30
_TOP = 18
_LABEL = 24
"""The width of a month's name, in pixels."""
_WORDS = {
    EventState.COMPLETED: "completed",
    EventState.ERROR: "failed",
    EventState.SKIPPED: "skipped",
    EventState.SUPERSEDED: "superseded",
    EventState.CANCELLED: "cancelled",
}
_MANY, _SOME = 24, 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One run: a bar as high as its call was long, on a scale of powers of ten."""

    x: int
    y: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One day of a calendar."""

    x: int
    y: int
    kind: str
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """Weeks as columns, Monday on top; `months` are labels with their x."""

    width: int
    height: int
    cells: tuple[Cell, ...]
    months: tuple[tuple[int, str], ...]


def bars(runs: Sequence[Run]) -> list[Bar]:
    """One for each run, left the oldest."""
    return [_bar(number, run) for number, run in enumerate(runs)]


def _bar(number: int, run: Run) -> Bar:
    duration = run.duration_ms
    height = 4.0 if duration is None else min(SPARK_HEIGHT, 6 + 4.5 * log10(max(1.0, duration)))
    took = "" if duration is None else f" in {duration:,.0f} ms"
    title = f"{run.run_time:%Y-%m-%d %H:%M:%S} UTC: {word(run.state)}{took}"
    return Bar(
        x=number * SPARK_STEP, y=SPARK_HEIGHT - height, height=height, kind=run.state.value, title=title
    )


def word(state: EventState) -> str:
    """How an event ended or where it stands, in a word or two."""
    return _WORDS.get(
        state,
        {"worker_queue": "being called", "ready_queue": "waiting"}.get(state, "waiting to be tried again"),
    )


def calendar(days: Sequence[Day]) -> Calendar:
    """A cell for each day."""
    first = days[0].day.weekday()
    cells = [_cell(number + first, day) for number, day in enumerate(days)]
    weeks = (len(days) + first + 6) // 7
    months: list[tuple[int, str]] = []
    for _, group in groupby(enumerate(days), key=lambda each: (each[1].day.year, each[1].day.month)):
        number, day = next(group)
        column = (number + first + 6) // 7 if day.day.day == 1 else (number + first) // 7
        x = _LEFT + column * CELL
        if months and x - months[-1][0] < 3 * CELL:  # too near: what is left of the month before
            months.pop()
        months.append((x, f"{day.day:%b}"))
    return Calendar(
        width=max(_LEFT + weeks * CELL, months[-1][0] + _LABEL),
        height=_TOP + 7 * CELL,
        cells=tuple(cells),
        months=tuple(months),
    )


def _cell(place: int, day: Day) -> Cell:
    counts = [f"{number:,} {word(state)}" for state, number in day.outcomes.items()]
    if day.planned:
        counts.append(f"{day.planned:,} planned")
    return Cell(
        x=_LEFT + place // 7 * CELL,
        y=_TOP + place % 7 * CELL,
        kind=_kind(day),
        title=f"{day.day:%A, %d %B %Y}: {', '.join(counts) or 'nothing'}",
    )


def _kind(day: Day) -> str:
    """What a day looks like: failures count before all, then calls made, then what is planned."""
    failed, called = day.outcomes.get(EventState.ERROR, 0), day.outcomes.get(EventState.COMPLETED, 0)
    if failed:
        return "mixed" if called else "failed"
    if called:
        return f"completed {'many' if called >= _MANY else 'some' if called >= _SOME else 'few'}"
    if day.planned:
        return "planned"
    return "skipped" if day.outcomes else "empty"
