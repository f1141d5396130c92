"""Occurrences as rows: UTC, local time with its offset, weekday, how long until then, clock changes."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from rrcli.cli import dst, tables, times
from rrcli.cli.output import Json
from rrcli.cli.state import State
from rrcli.core.exclusions import NOTHING, Exclusions
from rrcli.core.recurrence import Recurrence
from rrcli.core.timefmt import format_instant


def display_zone(state: State, recurrence: Recurrence) -> tzinfo | None:
    """`--tz`, else the rule's own zone if it has one, else the machine's (None)."""
    if state.tz is not None or recurrence.timezone == "UTC":
        return state.tz
    return ZoneInfo(recurrence.timezone)


def views(
    instants: Iterable[datetime],
    recurrence: Recurrence,
    *,
    zone: tzinfo | None,
    now: datetime,
    exclusions: Exclusions = NOTHING,
) -> list[Json]:
    """One record for each instant; those that are excluded say so in their note, and why."""
    rows = []
    for number, each in enumerate(instants, 1):
        excluded = exclusions.at(each)
        row = _view(number, each, recurrence, zone, now)
        rows.append(row | {"excluded": excluded.reason, "note": excluded.reason} if excluded else row)
    return rows


def _view(number: int, instant: datetime, recurrence: Recurrence, zone: tzinfo | None, now: datetime) -> Json:
    local = times.on_clock(instant, zone)
    return {
        "number": number,
        "utc": format_instant(instant),
        "local": local.isoformat(),
        "timezone": times.zone_name(zone, instant),
        "weekday": f"{local:%A}",
        "in_seconds": round((instant - now).total_seconds(), 3),
        "relative": times.relative(instant, now),
        "excluded": None,
        "note": dst.note(recurrence, instant),
    }


def table(state: State, rows: list[Json], *, width: int | None = None) -> str:
    """The records, numbered. One time column is enough where local time is UTC."""
    moved = any(datetime.fromisoformat(row["local"]).utcoffset() != timedelta(0) for row in rows)
    columns = [
        tables.Column("#", right=True),
        tables.Column("UTC", keep=3 if moved else None),
        *([tables.Column(str(rows[0]["timezone"]).upper() if rows else "LOCAL")] if moved else []),
        tables.Column("DAY", keep=2),
        tables.Column("WHEN", keep=1),
        tables.Column("NOTE", least=20),
    ]
    return tables.table(
        columns, [_row(row, moved) for row in rows], width=width or state.width, rule=state.terminal
    )


def _row(row: Json, moved: bool) -> tables.Row:
    local = datetime.fromisoformat(row["local"])
    return (
        tables.Cell(str(row["number"]), dim=True),
        times.absolute(local, UTC) + "Z",
        *([times.with_offset(local, local.tzinfo)] if moved else []),
        str(row["weekday"])[:3],
        tables.Cell(str(row["relative"]), "cyan"),
        tables.Cell(str(row["note"] or ""), "yellow"),
    )
