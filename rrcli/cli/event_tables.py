"""Events as people see them: a list, and the whole story of one."""

from collections.abc import Sequence
from datetime import datetime

from rrcli.cli import times
from rrcli.cli.state import State
from rrcli.cli.tables import Cell, Column, Row, fields, state_cell, table, title
from rrcli.cli.text import safe, short_ids, wrap
from rrcli.core.models import Attempt, Event

_SHORTEST_ID = 12
"""An event's id begins with its time, which its neighbours share; the rest tells them apart."""


def listing(
    state: State, events: Sequence[Event], now: datetime, *, names: dict[str, str] | None = None
) -> str:
    """A table of events; `names` (schedule id -> name) adds a column that says whose they are."""
    if not events:
        return ""
    shown = short_ids([each.id for each in events], _SHORTEST_ID) if state.terminal else {}
    columns = (
        Column("ID"),
        Column("SCHEDULE", least=10, keep=6),
        Column("RUN TIME (UTC)"),
        Column("LOCAL", keep=1),
        Column("WHEN", keep=2),
        Column("STATE"),
        Column("TRIES", right=True, keep=4),
        Column("CODE", right=True, keep=7),
        Column("LATE", right=True, keep=3),
        Column("MESSAGE", least=14, keep=5),
    )
    rows = [_row(state, each, now, shown, names or {}) for each in events]
    return table(columns, rows, width=state.width, rule=state.terminal)


def _row(state: State, event: Event, now: datetime, shown: dict[str, str], names: dict[str, str]) -> Row:
    local = event.run_time.astimezone(state.tz)
    same = not local.utcoffset()
    return (
        Cell(shown.get(event.id, event.id), dim=True),
        names.get(event.schedule_id, ""),
        event.run_time.strftime("%Y-%m-%d %H:%M:%S"),
        "" if same else f"{local:%m-%d %H:%M:%S}",
        Cell(times.relative(event.run_time, now), "cyan"),
        state_cell(event.state),
        str(len(event.attempts) or ""),
        _code(event.attempts[-1]) if event.attempts else "",
        _lateness(event),
        Cell(event.status[-1].message, dim=True),
    )


def _lateness(event: Event) -> str:
    """How late the first attempt began; a negative one is the clocks' jitter."""
    return "" if event.lateness_ms is None else times.span(max(event.lateness_ms, 0) / 1000)


def _code(attempt: Attempt) -> Cell:
    if attempt.status_code is None:
        return Cell("—", "red")
    return Cell(str(attempt.status_code), "green" if 200 <= attempt.status_code < 300 else "red")


def page(state: State, event: Event, name: str | None) -> str:
    """The whole story of one event."""
    parts = [
        f"{title('Event ' + event.id)}  {state_cell(event.state).styled(event.state)}",
        fields(_facts(state, event, name), width=state.width),
        "",
        title("Timeline"),
        _timeline(state, event),
    ]
    for number, attempt in enumerate(event.attempts, 1):
        parts += ["", title(f"Attempt {number}"), fields(_attempt(state, attempt), width=state.width)]
    return "\n".join(parts)


def _facts(state: State, event: Event, name: str | None) -> list[tuple[str, Cell | str]]:
    run_time = f"{event.run_time:%Y-%m-%d %H:%M:%S}Z"
    if event.run_time.astimezone(state.tz).utcoffset():
        run_time += f", here {times.with_offset(event.run_time, state.tz)}"
    facts: list[tuple[str, Cell | str]] = [
        ("schedule", f"{name or '(deleted)'}  {event.schedule_id}, revision {event.revision}"),
        ("run time", run_time),
        ("next try", times.with_offset(event.due, state.tz) if not event.state.final else ""),
        ("kind", str(event.kind) if event.kind != "scheduled" else ""),
        ("replay of", event.replay_of or ""),
        ("lateness", _lateness(event)),
    ]
    if event.span:
        facts.append(
            (
                "stands for",
                f"{event.span.count:,} occurrences, {event.span.first:%Y-%m-%d %H:%M:%S}Z "
                f"to {event.span.last:%Y-%m-%d %H:%M:%S}Z",
            )
        )
    return [(label, value) for label, value in facts if value]


def _timeline(state: State, event: Event) -> str:
    """Every status; a long message goes on below, because this is where it is read in full."""
    shown = [(_clock(state, step.time), str(step.status), step.message) for step in event.status]
    taken = max(len(moment) + len(status) for moment, status, _ in shown) + 4
    rows: list[Row] = []
    for moment, status, message in shown:
        first, *others = wrap(safe(message), None if state.width is None else max(20, state.width - taken))
        rows.append((Cell(moment, dim=True), state_cell(status), first))
        rows += [("", "", other) for other in others]
    columns = (Column("TIME"), Column("STATUS"), Column("MESSAGE"))
    return table(columns, rows, width=state.width, rule=state.terminal)


def _clock(state: State, instant: datetime) -> str:
    """To the millisecond: what happened between two statuses is often shorter than a second."""
    local = instant.astimezone(state.tz)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d}"


def _attempt(state: State, attempt: Attempt) -> list[tuple[str, Cell | str]]:
    answered = "no answer" if attempt.status_code is None else f"{attempt.status_code}"
    facts: list[tuple[str, Cell | str]] = [
        ("started", times.with_offset(attempt.time, state.tz)),
        ("took", times.span(attempt.duration_ms / 1000)),
        ("answer", Cell(answered, _code(attempt).colour)),
        ("error", Cell(attempt.error or "", "red")),
        ("response", attempt.response or ""),
    ]
    return [(label, value) for label, value in facts if (value.text if isinstance(value, Cell) else value)]
