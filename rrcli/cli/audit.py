"""`rrcli schedule audit`: each instant of a schedule beside its entry in the ledger."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

import click

from rrcli.cli import arguments, times
from rrcli.cli.exit_codes import ExitCode
from rrcli.cli.group import command
from rrcli.cli.output import Json, emit, write
from rrcli.cli.progress import through_time
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import Cell, Column, Row, state_cell, table, title
from rrcli.cli.text import count, safe, safe_json
from rrcli.core.models import Schedule
from rrcli.core.timefmt import format_instant, parse_instant
from rrcli.operations import audit as operation
from rrcli.operations import schedules
from rrcli.operations.audit import Absence, Report

T = TypeVar("T")

ROWS_AT_ONCE = 1000

EXAMPLES = """
rrcli schedule audit report
rrcli schedule audit report --from 2026-11-01 --to 2026-12-01 --problems
rrcli schedule audit report --from 2026-11-01T00:00:00Z -o jsonl | jq .outcome
"""


@command("audit", examples=EXAMPLES)
@click.argument("schedule", type=arguments.UTF8)
@click.option("--from", "start", metavar="TIME", help="First instant; a day before --to unless given.")
@click.option("--to", "end", metavar="TIME", help="Up to, and without, this time; now unless given.")
@click.option("--problems", is_flag=True, help="List only what is missing, failed, doubled or extra.")
@pass_state
def audit(state: State, schedule: str, start: str | None, end: str | None, problems: bool) -> None:
    """Set each instant of a SCHEDULE beside its entry in the ledger, and count.

    An instant without an entry is missing, and the exit code then is 1; one that lies before the creation,
    in a pause or under an older rule is explained. TIME is 2027-03-01T08:30:00Z, 2027-03-01 (on the clock
    of --tz) or now; what lies in the future is left out.
    """
    now = state.now()
    until = time_of(state, end, "to", now) or now
    begin = time_of(state, start, "from", now) or until - operation.DEFAULT_RANGE
    found = schedules.resolve(state.context(), schedule)
    made, rows = state.service(changes=False).audit(found, begin, until)
    for _ in through_time(state, "Auditing", rows, made.start, made.end, at=_run_time):
        pass
    _show(state, found, made, problems)
    if not made.complete:
        raise click.exceptions.Exit(ExitCode.FAILED)


def time_of(state: State, text: str | None, field: str, now: datetime) -> datetime | None:
    """The instant of an option; without an offset it is on the clock of --tz. Raises InvalidInput."""
    return None if text is None else times.instant_on_clock(text, field=field, now=now, zone=state.tz)


def _show(state: State, schedule: Schedule, made: Report, problems: bool) -> None:
    """The counts, then the rows, read a second time: so neither needs the whole of them at once."""
    _, rows = state.service(changes=False).audit(schedule, made.start, max(made.end, made.start + _LEAST))
    chosen = (row for row in rows if not problems or _is_problem(row))
    if state.output == "table":
        write(state, _summary(state, schedule, made))
        for number, part in enumerate(parts(chosen)):
            write(state, _table(state, part, first=number == 0))
    elif state.output == "json":
        _write_json(state, made, chosen)
    elif state.output == "jsonl":
        for part in parts(chosen):
            write(state, "\n".join(map(_json, part)))
    else:
        views = list(chosen)
        data = operation.report_view(made) | {"rows": views} if state.output == "yaml" else views
        emit(state, data, table=str, ids=lambda row: str(row["event_id"] or row["run_time"]))


_LEAST = timedelta(milliseconds=1)


def _run_time(row: Json) -> datetime:
    return parse_instant(row["run_time"], field="run_time")


def _is_problem(row: Json) -> bool:
    return row["extra"] or row["doubled"] or row["outcome"] in (Absence.MISSING, "error")


def parts(rows: Iterable[T]) -> Iterator[list[T]]:
    """The rows in lists that a table can be made of."""
    rest = iter(rows)
    while part := list(islice(rest, ROWS_AT_ONCE)):
        yield part


def _write_json(state: State, made: Report, rows: Iterable[Json]) -> None:
    head = safe_json(json.dumps(operation.report_view(made), indent=2, ensure_ascii=False))
    write(state, head.removesuffix("\n}") + ',\n  "rows": [')
    comma = ""
    for part in parts(rows):
        write(state, comma + ",\n".join(f"    {_json(row)}" for row in part))
        comma = "    ,\n"
    write(state, "  ]\n}")


def _json(row: Json) -> str:
    return safe_json(json.dumps(row, ensure_ascii=False))


def _summary(state: State, schedule: Schedule, made: Report) -> str:
    lines = [
        f"{title(safe(schedule.name))}  {schedule.id}",
        f"  {format_instant(made.start)} to {format_instant(made.end)}: {count(made.instants, 'instant')}",
    ]
    width = max((len(name) for name in (*made.outcomes, "extra")), default=0)
    for name, number in made.outcomes.most_common():
        lines.append(f"  {_cell(name).styled(_words(name).ljust(width))}  {number:>9,}")
    if extra := made.extra.total():
        lines.append(f"  {'extra'.ljust(width)}  {extra:>9,}  entries that are no instants of the rule")
    if made.doubled_count:
        lines.append(f"  {'doubled'.ljust(width)}  {made.doubled_count:>9,}  answered with success twice")
    if made.start < made.rule_since and made.rule_since > schedule.created_at:
        lines.append(f"  The rule is the present one since {format_instant(made.rule_since)}.")
    verdict = ("Nothing is missing.", "green") if made.complete else (_missing(made), "red")
    lines.append(f"  {click.style(verdict[0], fg=verdict[1])}")
    return "\n".join(lines)


def _missing(made: Report) -> str:
    verb = "has" if made.missing_count == 1 else "have"
    return f"{count(made.missing_count, 'instant')} {verb} no entry."


def _words(outcome: str) -> str:
    return outcome.replace("_", " ") if outcome in set(Absence) else outcome


def _cell(outcome: str) -> Cell:
    return Cell(_words(outcome), "red") if outcome == Absence.MISSING else state_cell(_words(outcome))


_COLUMNS = (
    Column("RUN TIME (UTC)"),
    Column("OUTCOME"),
    Column("KIND", keep=1),
    Column("TRIES", right=True, keep=2),
    Column("EVENT", keep=3),
    Column("REASON", least=20),
)


def _table(state: State, rows: list[Json], *, first: bool) -> str:
    shown = table(_COLUMNS, [_row(row) for row in rows], width=state.width, rule=state.terminal)
    return f"\n{shown}" if first else without_head(state, shown)


def without_head(state: State, shown: str) -> str:
    """A table that goes on below another."""
    return shown.split("\n", 2 if state.terminal else 1)[-1]


def _row(row: Json) -> Row:
    kind = "extra" if row["extra"] else row["kind"] if row["kind"] != "scheduled" else ""
    return (
        f"{_run_time(row):%Y-%m-%d %H:%M:%S}",
        _cell(row["outcome"]),
        str(kind or ""),
        str(row["attempts"] or ""),
        Cell(row["event_id"] or "", dim=True),
        Cell(row["reason"], dim=True),
    )
