"""`rrcli events`: what is planned, what happened, the story of one event, taking one out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from rrcli.cli import arguments, event_tables, replay, verify, watch, why
from rrcli.cli.group import group
from rrcli.cli.output import emit, write
from rrcli.cli.state import State, pass_state
from rrcli.operations import events as operation
from rrcli.operations import schedules
from rrcli.operations.views import event_view

if TYPE_CHECKING:
    from rrcli.core.models import Event
    from rrcli.repository.base import Page

GROUP_EXAMPLES = """
rrcli events pending report
rrcli events history report --limit 100 -o csv > history.csv
rrcli events show 65f1c0a2b3c4
"""


@group("events", examples=GROUP_EXAMPLES)
def events() -> None:
    """Look at what is planned and what happened.

    An event is one occurrence of a schedule. It is named by its id or the beginning of one.
    """


events.add_command(replay.replay_event)
events.add_command(why.why)
events.add_command(verify.verify)
events.add_command(watch.watch)


def _page_options(function: Callable[..., Any]) -> Callable[..., Any]:
    limit = click.option(
        "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many to show."
    )
    page = click.option(
        "--page", type=arguments.PAGE, default=1, show_default=True, help="Which page of them."
    )
    return click.argument("schedule", required=False, type=arguments.UTF8)(limit(page(function)))


@events.command("pending", examples="rrcli events pending report\nrrcli events pending --limit 5")
@_page_options
@pass_state
def pending(state: State, schedule: str | None, limit: int, page: int) -> None:
    """List the events of a SCHEDULE, or of all, that are waiting or being called; next first."""
    _list(state, operation.pending, schedule, limit, page)


@events.command("history", examples="rrcli events history report\nrrcli events history --limit 5 -o jsonl")
@_page_options
@pass_state
def history(state: State, schedule: str | None, limit: int, page: int) -> None:
    """List the events of a SCHEDULE, or of all, that have ended; newest first."""
    _list(state, operation.history, schedule, limit, page)


def _list(
    state: State, read: Callable[..., "Page[Event]"], schedule: str | None, limit: int, page: int
) -> None:
    context = state.context()
    whose = schedules.resolve(context, schedule).id if schedule is not None else None
    found = read(context, whose, limit=limit, offset=(page - 1) * limit)
    names = _names(state, found.items) if whose is None and state.output == "table" else None
    emit(
        state,
        [event_view(each) for each in found.items],
        table=lambda: event_tables.listing(state, found.items, state.now(), names=names),
        ids=_id,
    )
    if not found.items and state.output == "table":
        state.remark("No events." if page == 1 else f"No events on page {page}.")
    state.footer(len(found.items), found.total, "event", exact=found.exact)


def _names(state: State, found: "tuple[Event, ...]") -> dict[str, str]:
    ids = {event.schedule_id for event in found}
    return {key: each.name for key, each in state.context().repository.schedules.get(ids).items()}


def _id(view: dict[str, Any]) -> str:
    return str(view["_id"])


@events.command("show", examples="rrcli events show 65f1c0a2b3c4\nrrcli events show 65f1c0a2b3c4 -o json")
@click.argument("event", type=arguments.UTF8)
@pass_state
def show(state: State, event: str) -> None:
    """Show the whole story of one EVENT: every status, every attempt, what was answered."""
    found = operation.resolve(state.context(), event)
    emit(
        state,
        event_view(found),
        table=lambda: event_tables.page(state, found, _names(state, (found,)).get(found.schedule_id)),
        ids=_id,
    )


@events.command("cancel", examples="rrcli events cancel 65f1c0a2b3c4")
@click.argument("event", type=arguments.UTF8)
@pass_state
def cancel(state: State, event: str) -> None:
    """Take a waiting EVENT out of the queues for good."""
    found = operation.resolve(state.context(), event)
    cancelled = state.service().cancel(found.id)
    if state.output == "table":
        write(state, f"Cancelled {cancelled.id}, which was to run at {cancelled.run_time:%Y-%m-%d %H:%M:%S}Z")
    else:
        emit(state, event_view(cancelled), table=str, ids=_id)
