"""Reading what another program may have written: one record that makes no sense never stops the others."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

log = logging.getLogger(__name__)

R = TypeVar("R")
S = TypeVar("S")

NONSENSE = (LookupError, ValueError, TypeError, AttributeError, OverflowError)
"""What decoding raises when a record is not one of ours."""

_REMEMBERED = 10_000
_said: set[str] = set()


def readable(decode: Callable[[S], R], stored: Iterable[S], identity: Callable[[S], object]) -> list[R]:
    """The decoded records; one that cannot be read is left alone, and logged once in a process."""
    records = []
    for each in stored:
        try:
            records.append(decode(each))
        except NONSENSE as error:
            _say(str(identity(each)), error)
    return records


def first_readable(
    decode: Callable[[S], R],
    fetch: Callable[[int], Sequence[S]],
    limit: int,
    identity: Callable[[S], object],
) -> list[R]:
    """The first `limit` records of what `fetch(number)` finds; unreadable ones do not count, or they would

    block a queue for ever.
    """
    wanted = limit
    while True:
        stored = fetch(wanted)
        records = readable(decode, stored, identity)
        if len(stored) < wanted or len(records) >= limit:
            return records[:limit]
        wanted *= 2


def _say(identity: str, error: Exception) -> None:
    key = f"{identity} {error!r}"
    if key in _said:
        return
    if len(_said) >= _REMEMBERED:
        _said.clear()
    _said.add(key)
    log.error(
        "A stored document cannot be read and is left alone: %s: %s",
        type(error).__name__,
        error,
        extra={"action": "document_unreadable", "document_id": identity},
    )
