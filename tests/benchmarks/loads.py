"""Schedules by the million, put straight into the store: what a migration would leave there."""

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from rrcli.core.ids import random_id
from rrcli.core.models import Schedule
from rrcli.repository.base import Repository

EVERYTHING = 10**9
BATCH = 5_000
DAY = timedelta(days=1)
AGE = timedelta(days=730)
"""How long ago the rules began: an engine that walks from DTSTART would show."""
ALL_UNLIKE = 1_000
"""So many ages of rules that no text comes twice in the benchmarks."""

Make = Callable[[int], Schedule]


def daily(start: datetime, url: str, *, every: timedelta, ages: int = 1) -> Make:
    """Two-year-old daily schedules, the next run of number n at `start` + n * `every`.

    Those of the same second have the same rule text. With several `ages` they began on so many different
    days: then no text comes twice, as long as no more of them are due at the same second.
    """

    def make(number: int) -> Schedule:
        next_run = start + every * number
        begin = next_run - AGE - DAY * (number % ages)
        return _schedule(number, url, begin, "FREQ=DAILY", next_run)

    return make


def secondly(start: datetime, url: str, *, count: int | None = None, jitter_seconds: float = 0.0) -> Make:
    """Schedules that fire every second from `start` on."""

    def make(number: int) -> Schedule:
        rule = "FREQ=SECONDLY" + (f";COUNT={count}" if count else "")
        return _schedule(number, url, start, rule, start, jitter_seconds)

    return make


def _schedule(
    number: int, url: str, begin: datetime, rule: str, next_run: datetime, jitter_seconds: float = 0.0
) -> Schedule:
    begin = begin.replace(microsecond=0)
    return Schedule(
        id=random_id(begin, secrets.token_bytes(8)),
        name=f"bench-{number}",
        rrule=f"DTSTART:{begin:%Y%m%dT%H%M%SZ}\nRRULE:{rule}",
        callback_url=url,
        method="POST",
        headers={"content-type": "application/json"},
        body='{"job": "report", "tenant": 42}',
        jitter_seconds=jitter_seconds,
        next_run=next_run.replace(microsecond=0),
        created_at=begin,
        updated_at=begin,
    )


def load(repository: Repository, make: Make, number: int, *, first: int = 0) -> None:
    """Store schedules number `first` to `first + number`, in batches."""
    numbers = iter(range(first, first + number))
    while batch := list(islice(numbers, BATCH)):
        repository.schedules.add([make(each) for each in batch])


def steps(low: int, high: int) -> Iterator[int]:
    """Powers of ten, both ends included."""
    while low <= high:
        yield low
        low *= 10


def archived(repository: Repository) -> int:
    """How many events have ended: all of them, however many, as a page that lies behind them counts them."""
    return repository.events.history(None, limit=0, offset=EVERYTHING).total
