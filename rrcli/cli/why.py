"""`rrcli events why`: the story of one event, or of a time at which there was none, in sentences."""

import click

from rrcli.cli import arguments, times
from rrcli.cli.audit import time_of
from rrcli.cli.group import command
from rrcli.cli.output import emit
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import Cell, fields, state_cell, title
from rrcli.cli.text import safe
from rrcli.core.models import Event
from rrcli.errors import NotFound
from rrcli.operations import events, schedules
from rrcli.operations import why as operation
from rrcli.operations.context import Context
from rrcli.operations.why import Step, Story

EXAMPLES = """
rrcli events why 65f1c0a2b3c4
rrcli events why report --at 2026-11-01T08:30:00Z
"""


@command("why", examples=EXAMPLES)
@click.argument("event", type=arguments.UTF8)
@click.option("--at", metavar="TIME", help="EVENT names a schedule: why did it run then, or not?")
@pass_state
def why(state: State, event: str, at: str | None) -> None:
    """Tell the story of an EVENT: where it comes from, each attempt, how it ended, what is next.

    With --at, of what a schedule has at that time; where it has no event, why not.
    """
    context, service = state.context(), state.service(changes=False)
    instant = time_of(state, at, "at", state.now())
    if instant is None:
        story = service.why(_event(context, event))
    else:
        story = service.why_at(schedules.resolve(context, event), instant)
    emit(
        state,
        operation.story_view(story),
        table=lambda: _page(state, story),
        ids=lambda view: str(view["event_id"] or ""),
    )


def _event(context: Context, reference: str) -> Event:
    try:
        return events.resolve(context, reference)
    except NotFound as error:
        if context.repository.schedules.resolve(reference):
            error.hint = f"{reference!r} is a schedule; add --at TIME, or name one of its events."
        raise


def _page(state: State, story: Story) -> str:
    if story.event:
        ended = state_cell(story.event.state).styled(story.event.state)
        head = f"{title('Event ' + story.event.id)}  {ended}"
    else:
        name = safe(story.schedule.name) if story.schedule else "(deleted)"
        head = f"{title(name)}  no event at {times.with_offset(story.run_time, state.tz)}"
    return "\n".join([head, fields([_line(state, step) for step in story.steps], width=state.width)])


def _line(state: State, step: Step) -> tuple[str, Cell]:
    return (times.absolute(step.time, state.tz) if step.time else "", Cell(step.sentence))
