"""`rrcli schedule skip`, `unskip` and `move`: single occurrences taken out, put back, moved."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from rrcli.cli import arguments, occurrences, schedule_tables, times
from rrcli.cli.group import command
from rrcli.cli.output import emit
from rrcli.cli.schedule_edit import if_match, view_of
from rrcli.cli.state import State, pass_state
from rrcli.core.models import Schedule
from rrcli.operations import schedules, skips
from rrcli.operations.rules import recurrence_of

SKIP_EXAMPLES = """
rrcli schedule skip report
rrcli schedule skip report --at 2026-12-24T08:30 --reason 'Office is closed'
rrcli schedule skip report --count 3
"""

MOVE_EXAMPLE = """
rrcli schedule move report --at 2026-12-24T08:30 \\
    --to 2026-12-23T10:00 --reason 'Christmas Eve'
"""

_reason = click.option("--reason", metavar="TEXT", help="Why; it stands in the history.")


def _at(help_text: str, **options: Any) -> Callable[..., Any]:
    return click.option("--at", metavar="TIME", help=help_text, **options)


@command("skip", examples=SKIP_EXAMPLES)
@click.argument("schedule", type=arguments.UTF8)
@_at("The occurrence to skip; the next one unless given.")
@click.option(
    "--count",
    type=click.IntRange(1, skips.COUNT_LIMIT),
    default=1,
    show_default=True,
    help="How many, from there on.",
)
@_reason
@if_match
@pass_state
def skip(
    state: State, schedule: str, at: str | None, count: int, reason: str | None, if_match: int | None
) -> None:
    """Take out the next occurrence of a SCHEDULE, or others; its rule stays as it is.

    They stand in the history as skipped, with the reason. TIME without an offset is on the clock of the
    schedule, or of --tz.
    """
    found = schedules.resolve(state.context(), schedule)
    changed = state.service().skip(
        found.id,
        at=_instant(state, found, at, "at"),
        count=count,
        reason=reason,
        expected_revision=if_match,
    )
    which = _which(state, found, changed) if count == 1 else f"{count} occurrences"
    _show(state, f"Skipped {which} of", changed)


@command("unskip", examples="rrcli schedule unskip report\nrrcli schedule unskip report --all")
@click.argument("schedule", type=arguments.UTF8)
@_at("The skipped or moved occurrence; the next such one unless given.")
@click.option("--all", "everything", is_flag=True, help="All that lie ahead, or from --at on.")
@if_match
@pass_state
def unskip(state: State, schedule: str, at: str | None, everything: bool, if_match: int | None) -> None:
    """Put back an occurrence of a SCHEDULE that was skipped or moved, before its time has come."""
    found = schedules.resolve(state.context(), schedule)
    changed = state.service().unskip(
        found.id,
        at=_instant(state, found, at, "at"),
        everything=everything,
        expected_revision=if_match,
    )
    which = "all" if everything else _which(state, found, changed)
    _show(state, f"Put back {which} of", changed)


@command("move", examples=MOVE_EXAMPLE)
@click.argument("schedule", type=arguments.UTF8)
@_at("The occurrence to move.", required=True)
@click.option("--to", metavar="TIME", required=True, help="When it runs instead.")
@_reason
@if_match
@pass_state
def move(state: State, schedule: str, at: str, to: str, reason: str | None, if_match: int | None) -> None:
    """Let one occurrence of a SCHEDULE run at another time; `unskip` puts it back."""
    found = schedules.resolve(state.context(), schedule)
    start, end = _instant(state, found, at, "at"), _instant(state, found, to, "to")
    assert start is not None
    assert end is not None
    changed = state.service().move(found.id, at=start, to=end, reason=reason, expected_revision=if_match)
    zone = occurrences.display_zone(state, recurrence_of(changed))
    told = f"{times.with_offset(start, zone)} to {times.with_offset(end, zone)}"
    _show(state, f"Moved {told} of", changed)


def _instant(state: State, schedule: Schedule, text: str | None, field: str) -> datetime | None:
    """The instant of an option; without an offset on the clock of --tz, else of the schedule."""
    if text is None:
        return None
    zone = occurrences.display_zone(state, recurrence_of(schedule))
    return times.instant_on_clock(text, field=field, now=state.now(), zone=zone)


def _which(state: State, old: Schedule, new: Schedule) -> str:
    """The one occurrence that was taken out or put back, on the clock of --tz, else of the schedule."""
    chosen = {each.run_time for each in old.skips} ^ {each.run_time for each in new.skips}
    if len(chosen) != 1:
        return "an occurrence"
    return times.with_offset(chosen.pop(), occurrences.display_zone(state, recurrence_of(new)))


def _show(state: State, what: str, changed: Schedule) -> None:
    emit(
        state,
        view_of(state, changed),
        table=lambda: schedule_tables.confirmation(state, what, changed, state.now()),
    )
