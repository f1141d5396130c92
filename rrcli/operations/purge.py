"""Deleting what ended long ago, in batches that leave the store free for others."""

from collections.abc import Iterator
from datetime import datetime

from rrcli.errors import FieldError, InvalidInput
from rrcli.operations.context import Context

BATCH = 1000


def purge(context: Context, before: datetime) -> Iterator[int]:
    """Delete the archived events that ended before; yields how many each batch had.

    What it has deleted when it is stopped stays deleted. Raises InvalidInput for a time in the future.
    """
    if before > context.now():
        raise InvalidInput([FieldError(field="before", value=str(before), allowed="must lie in the past")])
    while number := context.repository.events.purge(before, BATCH):
        yield number
