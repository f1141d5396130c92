"""Reading a stretch of the ledger in parts that are cut between two run times, never inside one."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from rrcli.repository.readable import readable

R = TypeVar("R")
S = TypeVar("S")

_NEXT = timedelta(milliseconds=1)
"""Run times are whole milliseconds."""


def first_stretch(
    decode: Callable[[S], R],
    fetch: Callable[[datetime, datetime, int | None], Sequence[S]],
    start: datetime,
    end: datetime,
    *,
    limit: int,
    run_time: Callable[[S], datetime],
    identity: Callable[[S], object],
) -> list[R]:
    """About the first `limit` records with a run time in [start, end), whole run times only.

    `fetch(start, end, number)` gives the first `number` stored ones (None: all), by run time. Empty only
    when no readable record is left.
    """
    while start < end:
        stored = _whole(fetch, start, end, limit, run_time)
        records = readable(decode, stored, identity)
        if records or not stored:
            return records
        start = run_time(stored[-1]) + _NEXT
    return []


def _whole(
    fetch: Callable[[datetime, datetime, int | None], Sequence[S]],
    start: datetime,
    end: datetime,
    limit: int,
    run_time: Callable[[S], datetime],
) -> Sequence[S]:
    found = fetch(start, end, limit + 1)
    if len(found) <= limit:
        return found
    cut = run_time(found[-1])
    whole = [each for each in found if run_time(each) < cut]
    # More than `limit` at one run time: rare, for only what people asked for can be there several times.
    return whole or fetch(cut, cut + _NEXT, None)
