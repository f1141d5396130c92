"""`rrcli top`: the status and what happened last, on the whole terminal, refreshed."""

import sys

import click

from rrcli.cli import arguments, event_tables, times
from rrcli.cli.group import command
from rrcli.cli.screen import full_screen
from rrcli.cli.state import State, pass_state
from rrcli.cli.status import page
from rrcli.cli.tables import title
from rrcli.cli.text import shorten
from rrcli.errors import SchedulerError
from rrcli.operations import events

_QUIT = frozenset({"q", "Q", "\x1b", "\x04"})
_MOST = 200


@command("top", examples="rrcli top\nrrcli top --interval 500ms --tz UTC")
@click.option(
    "--interval",
    type=arguments.DURATION,
    default="2s",
    show_default=True,
    metavar="SPAN",
    help="How often to look.",
)
@pass_state
def top(state: State, interval: float) -> None:
    """Show daemons, queues, lateness, the next occurrences and the last events, refreshed; q quits."""
    if not (state.terminal and sys.stdin.isatty()):
        raise click.UsageError(
            "top needs a terminal. In a pipe: rrcli status -o json, or rrcli events watch."
        )
    with full_screen() as screen:
        while True:
            screen.draw(_page(state, screen.lines))
            if screen.key(interval) in _QUIT:
                return


def _page(state: State, lines: int) -> str:
    width = state.width or 80
    now = times.absolute(state.now(), state.tz)
    head = title(shorten(f"rrcli top  {now}   q quits", width))
    try:
        text = page(state, state.service().summary())
        # Title and rule of the table, and the line above it.
        left = lines - 2 - len(text.split("\n")) - 4
        return "\n".join([head, "", text, *(_latest(state, left) if left > 0 else [])])
    except SchedulerError as error:
        return "\n".join([head, "", click.style(shorten(error.message, width), fg="red"), "Still trying."])


def _latest(state: State, limit: int) -> list[str]:
    found = events.history(state.context(), None, limit=min(limit, _MOST)).items
    if not found:
        return []
    known = state.context().repository.schedules.get({each.schedule_id for each in found})
    names = {key: each.name for key, each in known.items()}
    return ["", title("Last events"), event_tables.listing(state, found, state.now(), names=names)]
