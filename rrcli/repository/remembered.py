"""What is read again and again and has seldom changed: the same stored bytes are decoded once."""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import TypeVar

from rrcli.core.models import Misfire, MisfirePolicy, Retry

R = TypeVar("R")
S = TypeVar("S", bound=Hashable)

# Together with the records some 40 MB at worst; schedules as they are take a tenth of it.
_RECORDS = 4096
_LENGTH = 8192
# Nearly all schedules have the same few.
_POLICIES = 256


def remembering(decode: Callable[[S], R], length: Callable[[S], int]) -> Callable[[S], R]:
    """`decode`, with the last results remembered by what they came from, where that is short.

    Nothing can be out of date: whatever changes in the store, by whatever program, is another value.
    """
    remembered = lru_cache(_RECORDS)(decode)

    def decoded(stored: S) -> R:
        return remembered(stored) if length(stored) <= _LENGTH else decode(stored)

    return decoded


retry_of = lru_cache(_POLICIES, typed=True)(Retry)
"""Retry, by its fields; equal ones are one object. Raises TypeError."""


@lru_cache(_POLICIES, typed=True)
def misfire_of(*, policy: str, **seconds: float) -> Misfire:
    """Misfire, by its fields as stored; equal ones are one object. Raises TypeError or ValueError."""
    return Misfire(policy=MisfirePolicy(policy), **seconds)
