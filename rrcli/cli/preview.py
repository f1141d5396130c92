"""`rrcli preview`: when a rule or a schedule runs."""

from datetime import datetime

import click

from rrcli.cli import arguments, occurrences, times
from rrcli.cli.group import command
from rrcli.cli.output import emit
from rrcli.cli.state import State, pass_state
from rrcli.core.exclusions import NOTHING, Exclusions
from rrcli.core.models import Schedule, ScheduleState
from rrcli.core.recurrence import Recurrence
from rrcli.operations import preview as operation
from rrcli.operations import rules

EXAMPLES = """
rrcli preview --rrule 'FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0'
rrcli preview --rrule 'FREQ=DAILY;BYHOUR=2;BYMINUTE=30;BYSECOND=0' \\
    --timezone Europe/Berlin --after 2027-03-27 -n 3
rrcli preview --rrule @rule.txt -n 100 --before 2028-01-01
rrcli preview nightly-report --tz America/New_York -o json
"""


@command("preview", examples=EXAMPLES)
@click.argument("schedule", required=False, type=arguments.UTF8)
@click.option("--rrule", metavar="RULE", help="RFC 5545 rule, or DTSTART/RRULE lines; @FILE or - reads it.")
@click.option("--dtstart", metavar="TIME", help="First occurrence of --rrule; now unless given.")
@click.option("--timezone", metavar="ZONE", help="IANA time zone that --rrule is on; UTC unless given.")
@click.option("-n", "--limit", type=int, default=10, show_default=True, help="How many to show.")
@click.option("--after", metavar="TIME", help="From this time on; now unless given.")
@click.option("--before", metavar="TIME", help="Up to, and without, this time.")
@pass_state
def preview(
    state: State,
    schedule: str | None,
    rrule: str | None,
    dtstart: str | None,
    timezone: str | None,
    limit: int,
    after: str | None,
    before: str | None,
) -> None:
    """Show when a rule, or a SCHEDULE (name or id), runs: UTC, local time, and how long until then.

    TIME is 2027-03-01T08:30:00Z, 2027-03-01 (on the clock of --tz), now, or +10m.
    """
    now, exclusions = state.now(), NOTHING
    if schedule is not None and rrule is None:
        found = _schedule(state, schedule, dtstart, timezone)
        recurrence, exclusions = rules.recurrence_of(found), state.context().exclusions([found])[found.id]
    elif rrule is not None and schedule is None:
        recurrence = _of_rule(rrule, dtstart, timezone, now)
    else:
        raise click.UsageError("Give either a SCHEDULE or --rrule.")
    start = _instant(state, after, "after", now) or now
    end = _instant(state, before, "before", now)
    planned = operation.preview_of(recurrence, now=now, after=start, before=end, limit=limit)
    _show(state, planned, exclusions, start)


def _instant(state: State, text: str | None, field: str, now: datetime) -> datetime | None:
    return None if text is None else times.instant_on_clock(text, field=field, now=now, zone=state.tz)


def _of_rule(rrule: str, dtstart: str | None, timezone: str | None, now: datetime) -> Recurrence:
    text = arguments.rule_text(rrule)
    if dtstart is not None:
        text = arguments.with_dtstart(text, dtstart, timezone, now)
    return rules.accept(text, timezone, anchor=now)


def _schedule(state: State, reference: str, dtstart: str | None, timezone: str | None) -> Schedule:
    from rrcli.operations import schedules

    if dtstart is not None or timezone is not None:
        raise click.UsageError("--dtstart and --timezone belong to --rrule; a SCHEDULE has its own.")
    found = schedules.resolve(state.context(), reference)
    if found.state is not ScheduleState.ACTIVE:
        state.remark(f"The schedule is {found.state}: it will not run at these times.")
    return found


def _show(state: State, found: operation.Preview, exclusions: Exclusions, start: datetime) -> None:
    """Print the occurrences; the format `ids` gives the instants alone."""
    zone = occurrences.display_zone(state, found.recurrence)
    rows = occurrences.views(
        found.occurrences, found.recurrence, zone=zone, now=state.now(), exclusions=exclusions
    )
    if not rows:
        state.remark(f"No occurrence from {times.with_offset(start, zone)} on.")
    emit(
        state,
        rows,
        table=lambda: occurrences.table(state, rows) if rows else "",
        ids=lambda row: str(row["utc"]),
    )
    if found.more and state.terminal and state.output == "table":
        more = min(operation.OCCURRENCES_LIMIT, 10 * len(rows))
        state.remark(click.style(f"… and more: -n {more}", dim=True))
