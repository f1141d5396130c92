"""Events are handed to the workers a moment ahead of their time: a call waits for no store and no disk."""

from collections.abc import Iterable
from datetime import timedelta

from rrcli.core.models import Event
from rrcli.operations.context import Context

AHEAD = timedelta(milliseconds=100)
"""How long before its time an event leaves the ready queue, at most; at least half of it."""


def let_begin(context: Context, events: Iterable[Event]) -> None:
    """Wait until those of `events` that a worker holds ahead of their time have begun: none does later."""
    now = context.now()
    held = [event.due for event in events if now < event.due <= now + AHEAD]
    if held:
        context.clock.sleep((max(held) - now).total_seconds())
