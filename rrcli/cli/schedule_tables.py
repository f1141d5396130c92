"""Schedules as people see them: a list, one with everything about it, the confirmation of a change."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from rrcli.cli import event_tables, occurrences, times
from rrcli.cli.output import Json
from rrcli.cli.state import State
from rrcli.cli.tables import Cell, Column, Row, fields, state_cell, table, title
from rrcli.cli.text import count, safe, short_ids, wrap
from rrcli.core.models import Schedule, ScheduleState, Skip
from rrcli.core.recurrence import Recurrence
from rrcli.errors import InvalidRule
from rrcli.operations import events
from rrcli.operations.rules import parse, recurrence_of
from rrcli.operations.views import next_occurrence, schedule_view


def listing(state: State, schedules: Sequence[Schedule], now: datetime) -> str:
    """The table of `schedule list`."""
    if not schedules:
        return ""
    names = short_ids([each.id for each in schedules]) if state.terminal else {}
    rows: list[Row] = []
    exclusions = state.context().exclusions(schedules)
    for each in schedules:
        upcoming = next_occurrence(each, now, exclusions[each.id])
        rows.append(
            (
                Cell(names.get(each.id, each.id), dim=True),
                each.name,
                state_cell(each.state),
                Cell(times.relative(upcoming, now) if upcoming else "", "cyan"),
                times.absolute(upcoming, state.tz, seconds=False) if upcoming else "",
                rule(each),
                Cell(",".join(each.tags), dim=True),
            )
        )
    columns = (
        Column("ID"),
        Column("NAME", least=12),
        Column("STATE"),
        Column("NEXT RUN", keep=3),
        Column(times.zone_name(state.tz, now).upper(), keep=2),
        Column("RULE", least=16, keep=4),
        Column("TAGS", least=6, keep=1),
    )
    return table(columns, rows, width=state.width, rule=state.terminal)


def rule(schedule: Schedule) -> str:
    """The rule in words where the engine has some, else without its DTSTART."""
    try:
        told = parse(schedule.rrule, schedule.timezone).describe()
    except InvalidRule:
        return schedule.rrule
    if told and "FREQ=" not in told and "\n" not in told:
        return told
    if schedule.rrule.upper().endswith(";COUNT=1") and schedule.rrule.count("\n") == 1:
        return "once"
    lines = [line for line in schedule.rrule.split("\n") if not line.startswith("DTSTART")]
    return " ".join(line.removeprefix("RRULE:") for line in lines)


def _in_words(schedule: Schedule) -> str:
    words = rule(schedule)
    return "" if words in schedule.rrule else words


def confirmation(state: State, what: str, schedule: Schedule, now: datetime) -> str:
    """What `create` and `update` say: name, id, rule, the next three occurrences."""
    lines = [f"{what} {title(safe(schedule.name))}  {schedule.id}", f"  {safe(rule(schedule))}"]
    rows = _upcoming(state, schedule, now, 3)
    if rows:
        lines += ["", occurrences.table(state, rows)]
    elif schedule.state is ScheduleState.COMPLETED:
        lines.append("  No occurrence is left: it is completed.")
    else:
        lines.append(f"  It is {schedule.state}.")
    return "\n".join(lines)


def page(state: State, schedule: Schedule, now: datetime, *, reveal: bool = False) -> str:
    """Everything about one schedule; `reveal` shows what is masked else."""
    names = wrap(safe(schedule.name), state.width and state.width - len("  completed"))
    parts = [
        "\n".join(map(title, names)) + f"  {state_cell(schedule.state).styled(schedule.state)}",
        fields(_facts(state, schedule, now, reveal), width=state.width),
    ]
    if rows := _upcoming(state, schedule, now, 5):
        parts += ["", title("Next occurrences"), occurrences.table(state, rows)]
    context = state.context()
    last = events.history(context, schedule.id, limit=5)
    waiting = events.pending(context, schedule.id, limit=5)
    for heading, found in (("Waiting", waiting), ("Last events", last)):
        if found.items:
            shown = f"{heading} ({len(found.items)} of {found.total:,})"
            parts += ["", title(shown), event_tables.listing(state, found.items, now)]
    return "\n".join(parts)


def _upcoming(state: State, schedule: Schedule, now: datetime, limit: int) -> list[Json]:
    """The next occurrences of an active schedule."""
    if schedule.state is not ScheduleState.ACTIVE:
        return []
    recurrence: Recurrence = recurrence_of(schedule)
    zone = occurrences.display_zone(state, recurrence)
    instants = islice(recurrence.occurrences(after=now, limit=limit), limit)
    exclusions = state.context().exclusions([schedule])[schedule.id]
    return occurrences.views(instants, recurrence, zone=zone, now=now, exclusions=exclusions)


def _facts(state: State, schedule: Schedule, now: datetime, reveal: bool) -> list[tuple[str, Cell | str]]:
    retries = state.settings.worker.max_retries if schedule.max_retries is None else schedule.max_retries
    back_off = schedule.retry
    late = schedule.misfire
    shown = schedule_view(schedule, now, reveal=reveal)
    facts: list[tuple[str, Cell | str]] = [
        ("id", schedule.id),
        ("rule", schedule.rrule),
        ("in words", _in_words(schedule)),
        ("time zone", schedule.timezone or ""),
        ("state", _because(schedule)),
        ("calls", f"{schedule.effective_method} {shown['callback_url']}"),
        ("headers", "\n".join(f"{name}: {value}" for name, value in shown["headers"].items())),
        ("body", shown["body"] or ""),
        ("timeout", times.span(schedule.timeout_seconds)),
        (
            "retries",
            f"{retries}, after {times.span(back_off.base_seconds)} × {back_off.factor:g} each time, "
            f"at most {times.span(back_off.cap_seconds)}",
        ),
        (
            "when late",
            f"{late.policy}: on time up to {times.span(late.grace_seconds)}, "
            f"never after {times.span(late.window_seconds)}",
        ),
        ("overlap", str(schedule.overlap)),
        ("jitter", times.span(schedule.jitter_seconds) if schedule.jitter_seconds else ""),
        ("excludes", ", ".join(schedule.exclude_calendars)),
        ("skips", "\n".join(_skip(state, skip) for skip in schedule.skips if skip.run_time > now)),
        (
            "pauses",
            f"after {count(schedule.auto_pause_after, 'failure')} in a row"
            if schedule.auto_pause_after
            else "",
        ),
        ("redirects", "followed" if schedule.follow_redirects else ""),
        ("tags", ", ".join(schedule.tags)),
        ("signed", f"with {count(len(schedule.secrets), 'secret')}" if schedule.secrets else ""),
        ("secrets", "\n".join(schedule.secrets) if reveal else ""),
        ("created", _moment(state, schedule.created_at, now)),
        ("changed", f"{_moment(state, schedule.updated_at, now)}, revision {schedule.revision}"),
    ]
    return [(label, value) for label, value in facts if value]


def _pauses(schedule: Schedule) -> str:
    failures = schedule.auto_pause_after
    return f"after {count(failures, 'failure')} in a row" if failures else ""


def _skip(state: State, skip: Skip) -> str:
    moved = f" → {times.with_offset(skip.moved_to, state.tz)}" if skip.moved_to else ""
    return f"{times.with_offset(skip.run_time, state.tz)}{moved}" + (
        f" ({skip.reason})" if skip.reason else ""
    )


def _because(schedule: Schedule) -> Cell:
    reason = f": {schedule.state_reason}" if schedule.state_reason else ""
    return Cell(f"{schedule.state}{reason}", state_cell(schedule.state).colour)


def _moment(state: State, instant: datetime, now: datetime) -> str:
    return f"{times.with_offset(instant, state.tz)} ({times.relative(instant, now)})"
