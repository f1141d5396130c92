"""Long lists in parts: a cursor says where to go on, and no part costs more than the first."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rrcli.clock import from_ms, to_ms
from rrcli.core.ids import is_id
from rrcli.core.models import Event, Schedule, ScheduleState
from rrcli.errors import FieldError, InvalidInput
from rrcli.operations.context import Context
from rrcli.repository.base import EventQuery, Place

T = TypeVar("T")

START = ""
"""The cursor of the first part."""

_FORM = re.compile(r"(-?[0-9]{1,15})\.([0-9a-f]{24})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part(Generic[T]):
    """Some items of a list, and the cursor of those behind them; None at the end."""

    items: Sequence[T]
    next: str | None


def schedules_after(
    context: Context,
    cursor: str,
    *,
    state: ScheduleState | None = None,
    name: str | None = None,
    tag: str | None = None,
    limit: int,
) -> Part[Schedule]:
    """Schedules, newest first. Raises InvalidInput for what is no cursor."""
    place = place_of(cursor)
    found = context.repository.schedules.following(
        place.event_id if place else None, state=state, name=name, tag=tag, limit=limit + 1
    )
    return _part(found, limit, lambda last: schedule_cursor(last.id))


def events_after(
    context: Context, cursor: str, query: EventQuery, *, history: bool, limit: int
) -> Part[Event]:
    """Events that wait, next first; or (`history`) that have ended, newest first.

    What enters or leaves the list while it is read moves nothing else: no event comes twice, and none that
    is there all the time is left out. Raises InvalidInput for what is no cursor.
    """
    lists = context.repository.event_lists
    read = lists.history if history else lists.pending
    found = read(query, after=place_of(cursor), limit=limit + 1)
    return _part(found, limit, lambda last: _cursor(to_ms(last.run_time), last.id))


def _part(found: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Part[T]:
    return Part(items=found[:limit], next=cursor(found[limit - 1]) if len(found) > limit else None)


def _cursor(milliseconds: int, last_id: str) -> str:
    """Opaque to those who get it: what is in it may change."""
    return urlsafe_b64encode(f"{milliseconds}.{last_id}".encode()).decode().rstrip("=")


def schedule_cursor(after_id: str | None) -> str:
    """The cursor of the schedules behind that one; of the first part for None."""
    return START if after_id is None else _cursor(0, after_id)


def place_of(cursor: str) -> Place | None:
    """What a cursor stands for; None for that of the first part. Raises InvalidInput."""
    if cursor == START:
        return None
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        found = _FORM.fullmatch(text)
        if found and is_id(found[2]):
            return Place(run_time=from_ms(int(found[1])), event_id=found[2])
    except (ValueError, OverflowError):
        pass
    allowed = "must be a cursor as `next` gives it, or empty for the first part"
    raise InvalidInput([FieldError(field="after", value=cursor, allowed=allowed)])
