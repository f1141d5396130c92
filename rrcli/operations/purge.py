"""Deleting what ended long ago, in batches that leave the store free for others."""

from collections.abc import Iterator
from datetime import datetime

from rrcli.core.timefmt import format_instant
from rrcli.errors import FieldError, InvalidInput
from rrcli.operations.context import Context

BATCH = 1000


def purge(context: Context, before: datetime) -> Iterator[int]:
    """Delete the archived events that ended before; yields how many each batch had.

    What it has deleted when it is stopped stays deleted. Raises InvalidInput for a time in the future.
    """
    if before > context.now():
        told = format_instant(before)
        raise InvalidInput([FieldError(field="before", value=told, allowed="must lie in the past")])
    return _batches(context, before)


def _batches(context: Context, before: datetime) -> Iterator[int]:
    while number := context.repository.events.purge(before, BATCH):
        yield number
