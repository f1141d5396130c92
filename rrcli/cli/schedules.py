"""`rrcli schedule`: list, show, pause, resume, trigger, delete; create and update are in schedule_edit.py."""

from typing import TYPE_CHECKING

import click

from rrcli.cli import arguments, schedule_edit, schedule_tables
from rrcli.cli.choice import Choice
from rrcli.cli.group import LazyGroup
from rrcli.cli.output import emit, write
from rrcli.cli.schedule_edit import if_match, view_of
from rrcli.cli.state import State, pass_state
from rrcli.cli.text import safe
from rrcli.core.models import Schedule, ScheduleState
from rrcli.operations import schedules as operation
from rrcli.operations.views import event_view

if TYPE_CHECKING:
    from rrcli.core.models import Event

GROUP_EXAMPLES = """
rrcli schedule create --name report --rrule 'FREQ=DAILY' \\
    --callback-url https://example.org/
rrcli schedule list --state active
rrcli schedule show report
rrcli schedule pause report
"""


ELSEWHERE = {
    "create": ("rrcli.cli.schedule_edit:create", "Make a schedule, and queue what it has to do soon."),
    "update": ("rrcli.cli.schedule_edit:update", "Change a SCHEDULE; what is not given stays as it is."),
    "edit": (
        "rrcli.cli.schedule_editor:edit",
        "Change a SCHEDULE in the editor that VISUAL or EDITOR names, as YAML.",
    ),
    "skip": (
        "rrcli.cli.skips:skip",
        "Take out the next occurrence of a SCHEDULE, or others; its rule stays as it is.",
    ),
    "unskip": (
        "rrcli.cli.skips:unskip",
        "Put back an occurrence of a SCHEDULE that was skipped or moved, before its time has come.",
    ),
    "move": (
        "rrcli.cli.skips:move",
        "Let one occurrence of a SCHEDULE run at another time; `unskip` puts it back.",
    ),
    "replay": (
        "rrcli.cli.replay:replay_schedule",
        "Call again, or after all, what a SCHEDULE has between two times.",
    ),
    "audit": (
        "rrcli.cli.audit:audit",
        "Set each instant of a SCHEDULE beside its entry in the ledger, and count.",
    ),
    "export": ("rrcli.cli.export:export", "Write schedules as a file: the SCHEDULEs named, or all."),
    "import": (
        "rrcli.cli.ics_import:import_",
        "Make schedules of the events of an iCalendar FILE (- reads stdin).",
    ),
}


@click.group("schedule", cls=LazyGroup, lazy=ELSEWHERE, examples=GROUP_EXAMPLES)
def schedule() -> None:
    """Create, look at, change and delete schedules.

    A SCHEDULE is named by its id, the beginning of one, or its name.
    """


@schedule.command(
    "list", examples="rrcli schedule list\nrrcli schedule list --state paused --tag nightly -o ids"
)
@click.option("--state", "wanted", type=Choice([str(each) for each in ScheduleState]), help="In this state.")
@click.option("--name", type=arguments.UTF8, metavar="TEXT", help="With this in the name, in any case.")
@click.option("--tag", type=arguments.UTF8, metavar="WORD", help="With this tag.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many to show."
)
@click.option("--page", type=arguments.PAGE, default=1, show_default=True, help="Which page of them.")
@pass_state
def list_(state: State, wanted: str | None, name: str | None, tag: str | None, limit: int, page: int) -> None:
    """List schedules, newest first."""
    found = operation.find(
        state.context(),
        state=ScheduleState(wanted) if wanted else None,
        name=name,
        tag=tag,
        limit=limit,
        offset=(page - 1) * limit,
    )
    now = state.now()
    emit(
        state,
        schedule_edit.views_of(state, found.items),
        table=lambda: schedule_tables.listing(state, found.items, now),
    )
    if not found.items and state.output == "table":
        state.remark("No schedules." if page == 1 else f"No schedules on page {page}.")
    state.footer(len(found.items), found.total, "schedule")


@schedule.command("show", examples="rrcli schedule show report\nrrcli schedule show 65f1c0 --reveal -o yaml")
@click.argument("schedule", type=arguments.UTF8)
@click.option("--reveal", is_flag=True, help="Show header values, secrets and credentials in the URL.")
@pass_state
def show(state: State, schedule: str, reveal: bool) -> None:
    """Show one SCHEDULE: its fields, the next 5 occurrences and the last events."""
    found = operation.resolve(state.context(), schedule)
    if reveal:
        found = state.service(changes=False).revealed(found)
    emit(
        state,
        view_of(state, found, reveal=reveal),
        table=lambda: schedule_tables.page(state, found, state.now(), reveal=reveal),
    )


@schedule.command("pause", examples="rrcli schedule pause report\nrrcli schedule pause report --if-match 3")
@click.argument("schedule", type=arguments.UTF8)
@if_match
@pass_state
def pause(state: State, schedule: str, if_match: int | None) -> None:
    """Stop a SCHEDULE from running until it is resumed; what is queued is taken out."""
    found = operation.resolve(state.context(), schedule)
    paused = state.service().pause(found.id, expected_revision=if_match)
    _done(state, "Paused", paused)


@schedule.command("resume", examples="rrcli schedule resume report")
@click.argument("schedule", type=arguments.UTF8)
@if_match
@pass_state
def resume(state: State, schedule: str, if_match: int | None) -> None:
    """Let a paused SCHEDULE run again, from now on; what fell into the pause is recorded as skipped."""
    found = operation.resolve(state.context(), schedule)
    resumed = state.service().resume(found.id, expected_revision=if_match)
    _done(state, "Resumed", resumed)


@schedule.command("trigger", examples="rrcli schedule trigger report")
@click.argument("schedule", type=arguments.UTF8)
@pass_state
def trigger(state: State, schedule: str) -> None:
    """Run a SCHEDULE once, now, whatever its rule and state."""
    found = operation.resolve(state.context(), schedule)
    event = state.service().trigger(found.id)
    emit(
        state,
        event_view(event),
        table=lambda: _triggered(found, event),
        ids=lambda view: str(view["_id"]),
    )
    schedule_edit.hint_at_daemons(state)


def _triggered(found: Schedule, event: "Event") -> str:
    return f"Triggered {safe(found.name)}. See what becomes of it:\n  rrcli events show {event.id}"


@schedule.command(
    "delete", examples="rrcli schedule delete report\nrrcli schedule delete report --yes --if-match 3"
)
@click.argument("schedule", type=arguments.UTF8)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@if_match
@pass_state
def delete(state: State, schedule: str, yes: bool, if_match: int | None) -> None:
    """Delete a SCHEDULE with all its events, waiting and past."""
    found = operation.resolve(state.context(), schedule)
    if not yes:
        _confirm(state, found)
    state.service().delete(found.id, expected_revision=if_match)
    _done(state, "Deleted", found)


def _confirm(state: State, found: Schedule) -> None:
    if not state.interactive:
        raise click.UsageError("Deleting needs a yes, and there is no terminal to ask on: add --yes.")
    question = f"Delete {safe(found.name)} ({found.id}) with all its events?"
    if not click.confirm(question, err=True):
        raise click.ClickException("Nothing was deleted.")


def _done(state: State, what: str, found: Schedule) -> None:
    """One line for a person; the record for everything else."""
    if state.output == "table":
        write(state, f"{what} {click.style(safe(found.name), bold=True)}  {found.id}")
    else:
        emit(state, view_of(state, found), table=str)
