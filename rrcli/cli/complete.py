"""What a shell offers where a schedule, an event or a calendar is named: quick, and silent when it fails."""

import logging
import re
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from io import StringIO
from threading import Thread

from click.shell_completion import CompletionItem

from rrcli.cli.state import State

PATIENCE_SECONDS = 0.2
"""Longer than this, a person has typed on; a store that does not answer by then offers nothing."""

OFFERED = 50
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\\]+")
"""Names that shells can be told; of others the id is offered."""


def offer(kind: str, beginning: str, state: State) -> list[CompletionItem]:
    """What begins so; nothing for what is no kind of ours. Never raises, never writes."""
    look = _LOOKS.get(kind)
    found: list[CompletionItem] = []
    if look is not None:
        # In a thread of its own, because it cannot be told to stop; it ends with the process.
        thread = Thread(target=_quietly, args=(look, beginning, state, found), daemon=True)
        logging.disable()
        with redirect_stderr(StringIO()):
            thread.start()
            thread.join(PATIENCE_SECONDS)
    return list(found)


def _quietly(
    look: Callable[[State, str], list[CompletionItem]],
    beginning: str,
    state: State,
    found: list[CompletionItem],
) -> None:
    with suppress(Exception):
        found += look(state, beginning)


def _schedules(state: State, beginning: str) -> list[CompletionItem]:
    repository = state.context().repository
    named = repository.schedules.find(name=beginning or None, limit=OFFERED).items
    found = [
        CompletionItem(each.name, help=each.id)
        if _ONE_LINE.fullmatch(each.name)
        else CompletionItem(each.id, help=each.name)
        for each in named
    ]
    if len(beginning) >= 4:
        found += [CompletionItem(each.id, help=each.name) for each in repository.schedules.resolve(beginning)]
    return [each for each in found if each.value.startswith(beginning)]


def _events(state: State, beginning: str) -> list[CompletionItem]:
    events = state.context().repository.events
    if len(beginning) >= 12:
        shown = tuple(events.resolve(beginning, OFFERED))
    else:
        waiting, ended = events.pending(None, limit=OFFERED // 2), events.history(None, limit=OFFERED // 2)
        shown = waiting.items + ended.items
    return [
        CompletionItem(each.id, help=f"{each.state} {each.run_time:%Y-%m-%d %H:%M:%S}Z")
        for each in shown
        if each.id.startswith(beginning)
    ]


def _calendars(state: State, beginning: str) -> list[CompletionItem]:
    names = [each.name for each in state.context().repository.calendars.list()]
    return [CompletionItem(name) for name in names if name.startswith(beginning)]


def zones(beginning: str) -> list[CompletionItem]:
    """Time zones that begin so, or whose last part does: `Berl` is Europe/Berlin."""
    from zoneinfo import available_timezones

    typed = beginning.lower()
    known = sorted(available_timezones())
    found = [each for each in known if each.lower().startswith(typed)]
    found = found or [each for each in known if each.rpartition("/")[2].lower().startswith(typed)]
    return [CompletionItem(each) for each in found]


_LOOKS = {"schedule": _schedules, "event": _events, "exclude_calendar": _calendars, "calendar": _calendars}
