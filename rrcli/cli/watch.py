"""`rrcli events watch`: changes of events as they happen, a line each."""

from collections.abc import Iterator, Sequence

import click

from rrcli.cli import arguments, times
from rrcli.cli.choice import Choice
from rrcli.cli.group import command
from rrcli.cli.output import Json, emit, write
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import state_cell
from rrcli.cli.text import pad, safe, shorten
from rrcli.core.models import EventState
from rrcli.core.timefmt import format_instant
from rrcli.errors import StoreUnavailable
from rrcli.operations import schedules
from rrcli.operations.watch import Change, Watch

EXAMPLES = """
rrcli events watch
rrcli events watch report --state completed --state error
rrcli events watch -o jsonl | jq -r .message
"""

_NAME, _STATE, _ID = 20, 12, 24


@command("watch", examples=EXAMPLES)
@click.argument("schedule", required=False, type=arguments.UTF8)
@click.option(
    "--state",
    "wanted",
    multiple=True,
    metavar="STATE",
    type=Choice([str(each) for each in EventState]),
    help="Only changes to this state, such as completed or error; repeatable.",
)
@click.option(
    "--last",
    type=click.IntRange(0, 1000),
    default=10,
    show_default=True,
    help="Begin with so many past ones.",
)
@click.option(
    "--interval",
    type=arguments.DURATION,
    default="1s",
    show_default=True,
    metavar="SPAN",
    help="How often to look.",
)
@click.option("--for", "length", type=arguments.DURATION, metavar="SPAN", help="Stop after this long.")
@pass_state
def watch(
    state: State,
    schedule: str | None,
    wanted: tuple[str, ...],
    last: int,
    interval: float,
    length: float | None,
) -> None:
    """Show what happens to the events of a SCHEDULE, or of all, until Ctrl-C: a line for each change.

    While the store cannot be reached it says so, and goes on when it is back.
    """
    whose = schedules.resolve(state.context(), schedule).id if schedule is not None else None
    printer = _Printer(state)
    for number, changes in enumerate(_looks(state, whose, interval, length)):
        chosen = [each for each in changes if not wanted or each.step.status in wanted]
        printer.show(chosen[-last:] if number == 0 and last else [] if number == 0 else chosen)


def _looks(state: State, whose: str | None, interval: float, length: float | None) -> Iterator[list[Change]]:
    """What each look finds; an outage is told once, and its end."""
    watched, end, away = Watch(state.context(), whose), None, False
    if length is not None:
        end = state.clock.monotonic() + length
    while True:
        try:
            changes = watched.look()
        except StoreUnavailable as error:
            if not away:
                state.remark(click.style(f"{error.message} Still trying.", fg="yellow"))
            away = True
        else:
            if away:
                state.remark(click.style("It is back.", fg="green"))
            away = False
            yield changes
            if watched.missed:
                state.remark(click.style("More has changed than can be shown.", fg="yellow"))
        if end is not None and state.clock.monotonic() >= end:
            return
        state.wait(interval)


class _Printer:
    """One line a change; of `csv` the head comes once."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._names: dict[str, str] = {}
        self._is_first = True

    def show(self, changes: Sequence[Change]) -> None:
        self._learn(changes)
        if not changes:
            return
        state = self._state
        views = [self._view(each) for each in changes]
        if state.output == "table":
            write(state, "\n".join(map(self._line, changes)))
        elif state.output == "csv" and not self._is_first:
            emit(state, views, table=str, head=False)
        else:
            # One document an event: `json` is as `jsonl`, because the list has no end.
            state.output = "jsonl" if state.output == "json" else state.output
            emit(state, views, table=str, ids=lambda view: str(view["event_id"]))
        self._is_first = False

    def _learn(self, changes: Sequence[Change]) -> None:
        unknown = {each.event.schedule_id for each in changes} - self._names.keys()
        if unknown:
            found = self._state.context().repository.schedules.get(unknown)
            self._names |= {key: found[key].name if key in found else "(deleted)" for key in unknown}

    def _view(self, change: Change) -> Json:
        event = change.event
        return {
            "time": format_instant(change.step.time),
            "event_id": event.id,
            "schedule_id": event.schedule_id,
            "schedule": self._names[event.schedule_id],
            "run_time": format_instant(event.run_time),
            "state": str(change.step.status),
            "attempts": len(event.attempts),
            "message": change.step.message,
        }

    def _line(self, change: Change) -> str:
        """Columns of fixed width: nobody knows what is still to come."""
        state, event = self._state, change.event
        name = safe(self._names[event.schedule_id])
        status = str(change.step.status)
        before = [
            times.absolute(change.step.time, state.tz).partition(" ")[2],
            pad(shorten(name, _NAME), _NAME),
            state_cell(status).styled(pad(status, _STATE)),
        ]
        taken = 8 + _NAME + _STATE + 6
        if state.width is None or state.width >= 110:
            before.append(click.style(event.id, dim=True))
            taken += _ID + 2
        message = safe(change.step.message)
        if state.width is not None:
            message = shorten(message, max(10, state.width - taken))
        return "  ".join([*before, message]).rstrip()
