"""`rrcli events replay` and `rrcli schedule replay`: calls that are made again, or after all."""

import re
from collections.abc import Iterator
from datetime import datetime

import click

from rrcli.cli import arguments
from rrcli.cli.audit import parts, time_of, without_head
from rrcli.cli.choice import Choice
from rrcli.cli.group import command
from rrcli.cli.output import emit, write
from rrcli.cli.progress import counted, through_time
from rrcli.cli.schedule_edit import hint_at_daemons
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import Cell, Column, state_cell, table
from rrcli.cli.text import count, safe
from rrcli.core.models import Schedule
from rrcli.operations import events, schedules
from rrcli.operations import replay as operation
from rrcli.operations.replay import Only, Planned, Tally
from rrcli.operations.service import Range
from rrcli.operations.views import event_view

CONFIRMED_FROM = 100
"""More events than these are entered only after a yes."""

_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}

EVENT_EXAMPLES = """
rrcli events replay 65f1c0a2b3c4
rrcli events replay 65f1c0a2b3c4 --new-id
"""

SCHEDULE_EXAMPLES = """
rrcli schedule replay report --from 2026-11-01 --to 2026-11-08 --dry-run
rrcli schedule replay report --from 2026-11-01 --to now --only failed
rrcli schedule replay report --from 2026-11-01 --to now --only missed \\
    --rate 5/s --yes
"""


class Rate(click.ParamType[float]):
    """Events a second, as `5/s`, `30/m` or `100/h`."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = _RATE.fullmatch(str(value).strip())
        per_second = float(found[1]) / _SECONDS[found[2]] if found else 0.0
        if not operation.SLOWEST <= per_second <= operation.FASTEST:
            self.fail(f"{value!r} is not a rate; write 5/s, 30/m or 100/h.", param, ctx)
        return per_second


@command("replay", examples=EVENT_EXAMPLES)
@click.argument("event", type=arguments.UTF8)
@click.option("--new-id", is_flag=True, help="Send a webhook-id of its own.")
@click.option("--force", is_flag=True, help="Once more, even if the same replay was made before.")
@pass_state
def replay_event(state: State, event: str, new_id: bool, force: bool) -> None:
    """Make the call of an EVENT that has ended again, at once.

    Its webhook-id stays the same, so that a receiver which remembers it sees the occurrence once.
    """
    found = events.resolve(state.context(), event)
    made = state.service().replay(found.id, new_id=new_id, force=force)
    emit(
        state,
        event_view(made.event),
        table=lambda: _told(made),
        ids=lambda view: str(view["_id"]),
    )
    if made.is_new:
        hint_at_daemons(state)


def _told(made: operation.Replayed) -> str:
    if made.is_new:
        return f"Replayed as {made.event.id}. See what becomes of it:\n  rrcli events why {made.event.id}"
    return f"The same replay was made before: {made.event.id} is {made.event.state}. Once more: add --force."


@command("replay", examples=SCHEDULE_EXAMPLES)
@click.argument("schedule", type=arguments.UTF8)
@click.option("--from", "start", metavar="TIME", required=True, help="First instant.")
@click.option("--to", "end", metavar="TIME", required=True, help="Up to, and without, this time.")
@click.option(
    "--only",
    type=Choice([str(each) for each in Only]),
    default=str(Only.ALL),
    show_default=True,
    help="Which instants.",
)
@click.option("--rate", type=Rate(), metavar="N/s", help="At most so many calls a second, or N/m, N/h.")
@click.option("--dry-run", is_flag=True, help="Only show what would be called.")
@click.option("--force", is_flag=True, help="Once more, even what a replay has called before.")
@click.option(
    "-y", "--yes", is_flag=True, help=f"Do not ask; without it more than {CONFIRMED_FROM} calls need a yes."
)
@pass_state
def replay_schedule(
    state: State,
    schedule: str,
    start: str,
    end: str,
    only: str,
    rate: float | None,
    dry_run: bool,
    force: bool,
    yes: bool,
) -> None:
    """Call again, or after all, what a SCHEDULE has between two times.

    `failed` ended as errors; `missed` were never called: skipped, superseded by a pause, or lost; `all` is
    everything that is not waiting already. Each keeps its run time and webhook-id, and the same replay
    twice calls once. TIME is 2027-03-01T08:30:00Z, 2027-03-01 (on the clock of --tz) or now.
    """
    now = state.now()
    begin, until = time_of(state, start, "from", now), time_of(state, end, "to", now)
    assert begin is not None
    assert until is not None
    found = schedules.resolve(state.context(), schedule)

    service, what = state.service(), Range(start=begin, end=until, only=Only(only), force=force)
    tally, planned = service.plan(found, what)
    for _ in through_time(state, "Planning", planned, begin, min(until, now), at=_run_time):
        pass
    if dry_run:
        _show_plan(state, tally, service.plan(found, what)[1])
        return
    if tally.planned:
        _confirm(state, found, tally, yes)
        steps = service.enter(found, what, per_second=rate)
        tally.planned = sum(counted(state, "Replaying", steps, tally.planned))
    emit(state, operation.tally_view(tally, dry_run=False), table=lambda: _summary(tally, "Queued"), ids=_id)
    if tally.planned:
        hint_at_daemons(state)


def _confirm(state: State, schedule: Schedule, tally: Tally, yes: bool) -> None:
    if yes or tally.planned <= CONFIRMED_FROM:
        return
    if not state.interactive:
        raise click.UsageError(
            f"{tally.planned:,} calls need a yes, and there is no terminal to ask on: add --yes."
        )
    question = f"Call {safe(schedule.name)} {tally.planned:,} times?"
    if not click.confirm(question, err=True):
        raise click.ClickException("Nothing was replayed.")


def _summary(tally: Tally, done: str) -> str:
    lines = [f"{done} {count(tally.planned, 'event')} for {count(tally.instants, 'instant')}."]
    others = (
        (tally.already, "replayed before (again: --force)"),
        (tally.under_way, "waiting or being called already"),
        (tally.left, "not asked for"),
    )
    lines += [f"  {number:>9,}  {what}" for number, what in others if number]
    return "\n".join(lines)


def _show_plan(state: State, tally: Tally, planned: Iterator[Planned]) -> None:
    """The plan, read a second time, so that it need not be held."""
    if state.output == "table":
        write(state, _summary(tally, "Would queue"))
    elif state.output == "jsonl":
        for each in planned:
            emit(state, operation.planned_view(each), table=str)
        return
    else:
        rows = [operation.planned_view(each) for each in planned]
        whole = operation.tally_view(tally, dry_run=True) | {"events": rows}
        emit(state, whole if state.output in ("json", "yaml") else rows, table=str, ids=_id)
        return
    for number, part in enumerate(parts(planned)):
        shown = table(_COLUMNS, [_row(each) for each in part], width=state.width, rule=state.terminal)
        write(state, f"\n{shown}" if number == 0 else without_head(state, shown))


def _run_time(planned: Planned) -> datetime:
    return planned.run_time


_COLUMNS = (Column("RUN TIME (UTC)"), Column("KIND"), Column("NOW"), Column("REPEATS", keep=1))


def _row(planned: Planned) -> tuple[Cell | str, ...]:
    return (
        f"{planned.run_time:%Y-%m-%d %H:%M:%S}",
        str(planned.kind),
        state_cell(planned.outcome),
        Cell(planned.replay_of or "", dim=True),
    )


def _id(view: dict[str, object]) -> str:
    return str(view.get("event_id", ""))
