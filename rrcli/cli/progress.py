"""A bar on stderr for work that takes a while; nothing at all where stderr is no terminal."""

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from rrcli.cli.state import State

R = TypeVar("R")

_STEP = 500
"""Rows from one look at the bar to the next."""


def through_time(
    state: State,
    what: str,
    rows: Iterable[R],
    start: datetime,
    end: datetime,
    *,
    at: Callable[[R], datetime],
) -> Iterator[R]:
    """The rows, unchanged, while a bar shows how far they have come from `start` to `end`."""
    if not sys.stderr.isatty():
        yield from rows
        return
    from rich.progress import Progress

    seconds = (end - start).total_seconds()
    with Progress(console=state.err, transient=True) as bar:
        task = bar.add_task(what, total=seconds)
        for number, row in enumerate(rows):
            if number % _STEP == 0:
                bar.update(task, completed=(at(row) - start).total_seconds())
            yield row


def counted(state: State, what: str, steps: Iterable[int], total: int) -> Iterator[int]:
    """The steps, unchanged, while a bar shows how much of `total` they add up to."""
    if not sys.stderr.isatty():
        yield from steps
        return
    from rich.progress import Progress

    with Progress(console=state.err, transient=True) as bar:
        task = bar.add_task(what, total=total)
        for step in steps:
            bar.update(task, advance=step)
            yield step


def spinning(state: State, what: str, steps: Iterable[R], size: Callable[[R], int]) -> Iterator[R]:
    """The steps, unchanged, while a line counts what they add up to; nobody knows how much there is."""
    if not sys.stderr.isatty():
        yield from steps
        return
    done = 0
    with state.err.status(what) as line:
        for step in steps:
            done += size(step)
            line.update(f"{what}: {done:,}")
            yield step
