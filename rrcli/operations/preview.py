"""What a rule would do, without storing anything."""

from dataclasses import dataclass
from datetime import datetime

from rrcli.core.recurrence import Recurrence
from rrcli.errors import FieldError, InvalidInput
from rrcli.operations import rules

OCCURRENCES_LIMIT = 1000
"""Occurrences that one request may ask for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """A rule and some of its occurrences (aware UTC, ascending); `more` says that others follow."""

    recurrence: Recurrence
    occurrences: tuple[datetime, ...]
    more: bool


def preview(
    rrule: str,
    timezone: str | None,
    *,
    now: datetime,
    after: datetime | None = None,
    before: datetime | None = None,
    limit: int = 10,
) -> Preview:
    """The first `limit` occurrences from `after` (default: now) on, and before `before`.

    Raises InvalidInput for a wrong rule or a limit outside 1 to OCCURRENCES_LIMIT.
    """
    return preview_of(
        rules.accept(rrule, timezone, anchor=rules.next_second(now)),
        now=now,
        after=after,
        before=before,
        limit=limit,
    )


def preview_of(
    recurrence: Recurrence,
    *,
    now: datetime,
    after: datetime | None = None,
    before: datetime | None = None,
    limit: int = 10,
) -> Preview:
    """As `preview`, for a rule that is parsed already."""
    if not 1 <= limit <= OCCURRENCES_LIMIT:
        allowed = f"must be a whole number from 1 to {OCCURRENCES_LIMIT}"
        raise InvalidInput([FieldError(field="limit", value=limit, allowed=allowed)])
    found = tuple(recurrence.occurrences(after=after or now, before=before, limit=limit + 1))
    return Preview(recurrence=recurrence, occurrences=found[:limit], more=len(found) > limit)
