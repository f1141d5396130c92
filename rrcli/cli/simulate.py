"""`rrcli simulate`: what load a set of schedules will make, and what jitter would do about it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from rrcli.cli import arguments, progress, times
from rrcli.cli.apply import sources
from rrcli.cli.group import command
from rrcli.cli.output import Json, emit
from rrcli.cli.state import State, pass_state
from rrcli.cli.text import count
from rrcli.core.exclusions import NOTHING, Exclusions
from rrcli.core.models import Schedule
from rrcli.core.timefmt import format_instant
from rrcli.errors import ABSENT, FieldError, InvalidInput
from rrcli.operations import manifest
from rrcli.operations.schedule_fields import require_calendars
from rrcli.operations.simulate import Simulation, planned, stored

if TYPE_CHECKING:
    from datetime import datetime

EXAMPLES = """
rrcli simulate -f schedules.yaml
rrcli simulate -f schedules.yaml --days 7 --jitter 5m --call-seconds 2
rrcli simulate --from-store --days 90 --after 2027-01-01
rrcli simulate -f schedules.yaml -o csv > events-per-minute.csv
"""


@command("simulate", examples=EXAMPLES)
@click.option(
    "-f",
    "--file",
    "files",
    type=arguments.UTF8,
    multiple=True,
    metavar="PATH",
    help="A file as for apply, a folder of them, or - for stdin; repeatable.",
)
@click.option("--from-store", is_flag=True, help="The schedules of the store.")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How many days.")
@click.option("--after", metavar="TIME", help="From the hour of this time on; now unless given.")
@click.option(
    "--jitter", type=arguments.DURATION, metavar="SPAN", help="Compare: every schedule with this jitter."
)
@click.option(
    "--call-seconds",
    type=arguments.DURATION,
    default="0.5",
    show_default=True,
    metavar="SPAN",
    help="How long one call takes.",
)
@click.option(
    "--max-late",
    type=arguments.DURATION,
    default="5",
    show_default=True,
    metavar="SPAN",
    help="How late a call may start in the worst rush; decides how many workers.",
)
@pass_state
def simulate(
    state: State,
    files: tuple[str, ...],
    from_store: bool,
    days: int,
    after: str | None,
    jitter: float | None,
    call_seconds: float,
    max_late: float,
) -> None:
    """Count the events that schedules will make in the days to come: peaks, and what they need.

    Nothing is stored or called. The rules, skips, calendars and jitter are worked out by the same code that
    runs schedules. -o json, jsonl and csv give the events of every minute.

    SPAN is 30, 1.5, 10m or 1h30m; TIME is 2027-03-01T08:30:00Z, 2027-03-01, now, or +10m.
    """
    if from_store == bool(files):
        raise click.UsageError("Give either -f PATH or --from-store.")
    if not 0 < call_seconds <= _LONGEST_SECONDS or not 0 < max_late <= _LONGEST_SECONDS:
        raise click.UsageError("--call-seconds and --max-late must be more than 0 and at most a day.")
    now = state.now()
    start = now if after is None else times.instant_on_clock(after, field="after", now=now, zone=state.tz)
    simulation = Simulation(start, days, jitter)
    if files:
        _run_files(state, simulation, files, start)
    else:
        _run_store(state, simulation)
    _show(state, simulation, call_seconds, max_late)


_LONGEST_SECONDS = 86_400.0


def _run_files(state: State, simulation: Simulation, files: Sequence[str], start: "datetime") -> None:
    declared = manifest.read(list(sources(files)), now=start, environment=_AnyName())
    if not declared:
        raise InvalidInput(
            [FieldError(field="schedules", value=ABSENT, allowed="there is no schedule in it")]
        )
    calendars = {name for each in declared for name in each.fields.get("exclude_calendars", ())}
    if calendars:
        require_calendars(state.context(), {"exclude_calendars": sorted(calendars)})
    _run(state, simulation, planned(declared, state.settings, start), len(declared))


class _AnyName(dict[str, str]):
    """An environment in which every variable is set: when a call is due does not depend on its secrets."""

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: object = None) -> str:
        return "simulated"


def _run_store(state: State, simulation: Simulation) -> None:
    context = state.context()
    total = context.repository.schedules.find(limit=1).total
    _run(state, simulation, stored(context), total)


def _run(state: State, simulation: Simulation, batches: Iterable[Sequence[Schedule]], total: int) -> None:
    """Count batch by batch, with a bar on stderr."""

    def steps() -> Iterator[int]:
        for batch in batches:
            simulation.add(batch, _excluded(state, batch))
            yield len(batch)

    for _ in progress.counted(state, "Simulating", steps(), total):
        pass


def _excluded(state: State, batch: Sequence[Schedule]) -> dict[str, Exclusions]:
    """What does not fire, by schedule id; the store is opened only where calendars are named."""
    if any(schedule.exclude_calendars or schedule.skips for schedule in batch):
        return state.context().exclusions(batch)
    return {schedule.id: NOTHING for schedule in batch}


def _show(state: State, simulation: Simulation, call_seconds: float, max_late: float) -> None:
    from rrcli.cli import load_report

    summary = load_report.summary(simulation, state.settings, call_seconds, max_late)
    data: Json | list[Json] = [] if state.output == "table" else _minutes(simulation)
    if state.output in ("json", "yaml"):
        data = {**summary, "minutes": data}
    emit(
        state,
        data,
        table=lambda: load_report.page(state, simulation, summary),
        ids=lambda row: str(row["minute"]),
    )
    for number, what in (
        (simulation.resting, "left out because they are not active"),
        (simulation.silent, "without an occurrence in these days"),
        (simulation.unreadable, "left out because their rules cannot be read"),
    ):
        if number:
            state.remark(f"{number:,} of {count(simulation.schedules, 'schedule')}: {what}")


def _minutes(simulation: Simulation) -> list[Json]:
    smoothed = simulation.smoothed
    rows: list[Json] = [
        {"minute": format_instant(minute), "events": events} for minute, events in simulation.load.minutes()
    ]
    if smoothed is not None:
        for row, (_, events) in zip(rows, smoothed.minutes(), strict=True):
            row["with_jitter"] = events
    return rows
