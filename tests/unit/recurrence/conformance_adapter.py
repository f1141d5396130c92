"""Adapter for an outside conformance suite: `module:function` of the form that its scorer calls."""

from datetime import datetime

from rrcli.core.recurrence import Recurrence


def occurrences(
    text: str, limit: int | None = None, between: tuple[datetime, datetime] | None = None
) -> list[datetime]:
    """The first `limit` occurrences (all when None) of the half-open window (of all time when None)."""
    after, before = between or (None, None)
    return list(Recurrence.parse(text).occurrences(after, before, limit or None))
