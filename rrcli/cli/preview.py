"""`rrcli preview`: when a rule or a schedule runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

import click

from rrcli.cli import arguments, occurrences, times, timing
from rrcli.cli.choice import ZONE
from rrcli.cli.group import command
from rrcli.cli.output import Json, emit, write
from rrcli.cli.state import State, pass_state
from rrcli.core.exclusions import NOTHING, Exclusions
from rrcli.core.models import Schedule, ScheduleState
from rrcli.core.recurrence import Recurrence
from rrcli.errors import FieldError, InvalidInput
from rrcli.operations import preview as operation
from rrcli.operations import rules

EXAMPLES = """
rrcli preview --rrule 'FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0'
rrcli preview --cron '30 8 * * MON-FRI' --timezone Europe/Berlin --calendar
rrcli preview --every 90m -n 5
rrcli preview --rrule 'FREQ=DAILY;BYHOUR=2;BYMINUTE=30;BYSECOND=0' \\
    --timezone Europe/Berlin --after 2027-03-27 -n 3 --explain
rrcli preview --rrule @rule.txt -n 100 --before 2028-01-01
rrcli preview nightly-report --tz America/New_York -o json
"""

_INSTANT = timedelta(microseconds=1)
_MONTHS = 6
_MOST_MONTHS = 120


@dataclass(frozen=True, slots=True)
class _Range:
    """From when on, up to when (None: open), where times are shown; whether DTSTART is that of creation."""

    start: datetime
    end: datetime | None
    zone: tzinfo | None
    is_anchored: bool = False


@command("preview", examples=EXAMPLES)
@click.argument("schedule", required=False, type=arguments.UTF8)
@click.option("--rrule", metavar="RULE", help="RFC 5545 rule, or DTSTART/RRULE lines; @FILE or - reads it.")
@timing.options
@click.option("--dtstart", metavar="TIME", help="First occurrence of the rule; now unless given.")
@click.option("--timezone", type=ZONE, metavar="ZONE", help="Zone that the rule is on; UTC unless given.")
@click.option("-n", "--limit", type=int, default=10, show_default=True, help="How many to show.")
@click.option("--after", metavar="TIME", help="From this time on; now unless given.")
@click.option("--before", metavar="TIME", help="Up to, and without, this time.")
@click.option("--calendar", is_flag=True, help="Draw months with the days marked; six, or to --before.")
@click.option("--explain", "explained", is_flag=True, help="Say the rule in English, and what is odd in it.")
@pass_state
def preview(
    state: State,
    /,
    schedule: str | None,
    limit: int,
    after: str | None,
    before: str | None,
    calendar: bool,
    explained: bool,
    **rule: Any,
) -> None:
    """Show when a rule, or a SCHEDULE (name or id), runs: UTC, local time, and how long until then.

    TIME is 2027-03-01T08:30:00Z, 2027-03-01 (on the clock of --tz), now, or +10m.
    """
    now, exclusions, is_anchored = state.now(), NOTHING, False
    timing.require_one(rule)
    text = timing.text_of(rule)
    if schedule is not None and text is None:
        found = _schedule(state, schedule, rule)
        is_anchored = rules.begins_at_creation(found)
        recurrence, exclusions = rules.recurrence_of(found), state.context().exclusions([found])[found.id]
    elif text is not None and schedule is None:
        recurrence = _of_rule(text, rule, now)
        timing.show_translated(state, rule, text)
    else:
        raise click.UsageError("Give either a SCHEDULE, or one of --rrule, --cron and --every.")
    start = _instant(state, after, "after", now) or now
    end = _instant(state, before, "before", now)
    if end is not None and end <= start:
        allowed = f"must be later than {times.with_offset(start, state.tz)}, where the preview begins"
        raise InvalidInput([FieldError(field="before", value=before, allowed=allowed)])
    shown = _Range(start, end, occurrences.display_zone(state, recurrence), is_anchored)
    if explained and state.output == "table":
        from rrcli.cli import explain

        write(state, explain.page(state, recurrence, is_anchored=is_anchored) + "\n\n")
    if calendar:
        _draw(state, recurrence, exclusions, shown, explained)
    else:
        planned = operation.preview_of(recurrence, now=now, after=start, before=end, limit=limit)
        _list(state, planned, exclusions, shown, explained)


def _instant(state: State, text: str | None, field: str, now: datetime) -> datetime | None:
    return None if text is None else times.instant_on_clock(text, field=field, now=now, zone=state.tz)


def _of_rule(text: str, options: Mapping[str, Any], now: datetime) -> Recurrence:
    if options["dtstart"] is not None:
        text = arguments.with_dtstart(text, options["dtstart"], options["timezone"], now)
    return rules.accept(text, options["timezone"], anchor=now)


def _schedule(state: State, reference: str, options: Mapping[str, Any]) -> Schedule:
    from rrcli.operations import schedules

    if options["dtstart"] is not None or options["timezone"] is not None:
        raise click.UsageError("--dtstart and --timezone belong to a rule; a SCHEDULE has its own.")
    found = schedules.resolve(state.context(), reference)
    if found.state is not ScheduleState.ACTIVE:
        state.remark(f"The schedule is {found.state}: it will not run at these times.")
    return found


def _list(
    state: State, found: operation.Preview, exclusions: Exclusions, shown: _Range, explained: bool
) -> None:
    """Print the occurrences; the format `ids` gives the instants alone."""
    rows = occurrences.views(
        found.occurrences, found.recurrence, zone=shown.zone, now=state.now(), exclusions=exclusions
    )
    if not rows:
        state.remark(f"No occurrence from {times.with_offset(shown.start, shown.zone)} on.")
    emit(
        state,
        _with_words(
            state, found.recurrence, shown, explained, rows, {"occurrences": rows, "more": found.more}
        ),
        table=lambda: occurrences.table(state, rows) if rows else "",
        ids=lambda row: str(row["utc"]),
    )
    if found.more and state.terminal and state.output == "table":
        more = min(operation.OCCURRENCES_LIMIT, 10 * len(rows))
        state.remark(click.style(f"… and more: -n {more}", dim=True))


def _with_words(
    state: State, recurrence: Recurrence, shown: _Range, explained: bool, rows: list[Json], named: Json
) -> Json | list[Json]:
    """The rows; with --explain, in formats that can say it, one object of the words and what is `named`."""
    if not explained or state.output not in ("json", "yaml", "jsonl"):
        return rows
    from rrcli.cli import explain

    return explain.view(recurrence, is_anchored=shown.is_anchored) | named


def _draw(
    state: State, recurrence: Recurrence, exclusions: Exclusions, shown: _Range, explained: bool
) -> None:
    """Print months with the days of the occurrences marked."""
    from rrcli.cli import month_calendar

    first = times.on_clock(shown.start, shown.zone).date()
    if shown.end is None:
        last = month_calendar.months_ahead(first, _MONTHS - 1)
        stop = datetime.combine(month_calendar.months_ahead(first, _MONTHS), time(), shown.zone).astimezone()
    else:
        stop, last = shown.end, times.on_clock(max(shown.start, shown.end - _INSTANT), shown.zone).date()
    months = month_calendar.months_between(first, last)
    if len(months) > _MOST_MONTHS:
        raise click.UsageError(f"--calendar draws at most {_MOST_MONTHS} months; these are {len(months)}.")
    days = month_calendar.Days(shown.zone)
    days.count(recurrence, exclusions, shown.start, stop)
    if days.uncounted is not None:
        state.remark(
            f"Too many to count: {month_calendar.MOST_COUNTED:,} occurrences and more. "
            f"The days from {days.uncounted} on are not counted; --before ends sooner."
        )
    views = days.views()
    today = times.on_clock(state.now(), shown.zone).date()
    emit(
        state,
        _with_words(state, recurrence, shown, explained, views, {"days": views}),
        table=lambda: month_calendar.drawn(days, months, today=today, width=state.width),
        ids=lambda row: str(row["date"]),
    )
