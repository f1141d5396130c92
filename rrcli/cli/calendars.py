"""`rrcli calendar`: holidays on which schedules do not run."""

from pathlib import Path

import click

from rrcli.cli import arguments, times
from rrcli.cli.group import group
from rrcli.cli.output import emit
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import Column, table
from rrcli.cli.text import count, safe
from rrcli.core.calendars import Calendar
from rrcli.operations import calendars as operation
from rrcli.operations.views import calendar_summary, calendar_view

EXAMPLES = """
rrcli calendar import holidays.ics
rrcli schedule update report --exclude-calendar holidays
rrcli calendar show holidays
"""


@group("calendar", examples=EXAMPLES)
def calendar() -> None:
    """Keep calendars of holidays, on which the schedules that exclude them do not run.

    They come from iCalendar files. Events of whole days exclude these days on the clock of each schedule,
    others a span of time.
    """


@calendar.command(
    "import",
    examples="rrcli calendar import holidays.ics\n"
    "rrcli calendar import - --name de --replace < feiertage.ics",
)
@click.argument("file", type=arguments.PATH)
@click.option("--name", help="Its name; that of the FILE unless given.")
@click.option("--replace", is_flag=True, help="Put it in the place of one of the same name.")
@pass_state
def import_(state: State, file: str, name: str | None, replace: bool) -> None:
    """Store the events of an iCalendar FILE (- reads stdin), and plan the schedules that exclude it anew.

    Repeating events are expanded from a year ago to ten years ahead.
    """
    if name is None and file == "-":
        raise click.UsageError("Say with --name what to call what comes from stdin.")
    text = arguments.read_text("-" if file == "-" else f"@{file}", "FILE")
    stored = state.service().put_calendar(name or Path(file).stem, text, overwrite=replace)
    emit(
        state,
        calendar_summary(stored),
        table=lambda: f"Imported {stored.name}: {_contents(stored)}",
        ids=lambda view: str(view["name"]),
    )


@calendar.command("list", examples="rrcli calendar list\nrrcli calendar list -o json")
@pass_state
def list_(state: State) -> None:
    """List calendars, by name."""
    found = operation.find(state.context())
    emit(
        state,
        [calendar_summary(each) for each in found],
        table=lambda: _listing(state, found),
        ids=lambda view: str(view["name"]),
    )
    if not found and state.output == "table":
        state.remark("No calendars. Import one: rrcli calendar import holidays.ics")


@calendar.command("show", examples="rrcli calendar show holidays\nrrcli calendar show holidays -o json")
@click.argument("calendar", type=arguments.UTF8)
@pass_state
def show(state: State, calendar: str) -> None:
    """Show the days and times of a CALENDAR."""
    found = operation.get(state.context(), calendar)
    emit(state, calendar_view(found), table=lambda: _page(state, found), ids=lambda view: str(view["name"]))


@calendar.command("delete", examples="rrcli calendar delete holidays\nrrcli calendar delete holidays --force")
@click.argument("calendar", type=arguments.UTF8)
@click.option("--force", is_flag=True, help="Also when schedules exclude it: take it out of them.")
@pass_state
def delete(state: State, calendar: str, force: bool) -> None:
    """Delete a CALENDAR; refused while schedules exclude it."""
    state.service().delete_calendar(calendar, force=force)
    emit(
        state,
        {"name": calendar},
        table=lambda: f"Deleted {safe(calendar)}",
        ids=lambda view: str(view["name"]),
    )


def _contents(found: Calendar) -> str:
    parts = [count(len(found.holidays), "day")] if found.holidays else []
    parts += [count(len(found.closures), "time")] if found.closures else []
    return " and ".join(parts)


def _listing(state: State, found: list[Calendar]) -> str:
    columns = (
        Column("NAME"),
        Column("DAYS", right=True),
        Column("TIMES", right=True),
        Column("IMPORTED", keep=1),
    )
    rows = [
        (
            each.name,
            f"{len(each.holidays):,}",
            f"{len(each.closures):,}",
            times.absolute(each.updated_at, state.tz, seconds=False),
        )
        for each in found
    ]
    return table(columns, rows, width=state.width, rule=state.terminal) if rows else ""


def _page(state: State, found: Calendar) -> str:
    columns = (Column("FROM"), Column("TO"), Column("NAME", least=12))
    days = [(each.day.isoformat(), "", safe(each.title)) for each in found.holidays]
    spans = [
        (times.with_offset(each.start, state.tz), times.with_offset(each.end, state.tz), safe(each.title))
        for each in found.closures
    ]
    return table(columns, [*days, *spans], width=state.width, rule=state.terminal)
