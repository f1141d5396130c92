"""`rrcli db`: the store itself."""

from datetime import timedelta

import click

from rrcli.cli import arguments, times
from rrcli.cli.exit_codes import ExitCode
from rrcli.cli.group import group
from rrcli.cli.output import Json, emit
from rrcli.cli.progress import spinning
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import Cell, Column, table
from rrcli.cli.text import count
from rrcli.errors import SchedulerError


@group("db", examples="rrcli db init\nrrcli db check\nrrcli db purge --older-than 90d")
def db() -> None:
    """Prepare the store, check it, empty its archive; encrypt it anew."""


@db.command("init", examples="rrcli db init\nMONGO_URI=mongodb://localhost:27017 rrcli db init -v")
@pass_state
def init(state: State) -> None:
    """Make tables and indexes, whatever the store needs; repeating it changes nothing.

    Daemons and API do this by themselves when they start.
    """
    repository = state.context().repository
    repository.init()
    emit(
        state,
        {"store": repository.description, "ready": True},
        table=lambda: f"The store is ready: {repository.description}",
        ids=lambda view: str(view["store"]),
    )


@db.command("rekey", examples="rrcli db rekey\nSECURITY_ENCRYPTION_KEY=$NEW,$OLD rrcli db rekey")
@pass_state
def rekey(state: State) -> None:
    """Encrypt what is stored with the first key of security.encryption_key.

    After a new key was put first, and after encryption was turned on; everything may be running meanwhile.
    When it is done, the old keys can be left out.
    """
    from rrcli.operations import rekey as operation

    state.require_local()
    done = operation.rekey(state.context())
    emit(
        state,
        {"changed": done.changed, "unreadable": list(done.unreadable)},
        table=lambda: f"Encrypted anew: {count(done.changed, 'schedule')}",
        ids=lambda view: "\n".join(view["unreadable"]),
    )
    if done.unreadable:
        some = ", ".join(done.unreadable[:5])
        raise SchedulerError(
            f"No key opens what is in {count(len(done.unreadable), 'schedule')}: {some}.",
            hint="Add the key they were written with to security.encryption_key, after the first.",
        )


@db.command("check", examples="rrcli db check\nrrcli db check -o json")
@pass_state
def check(state: State) -> int:
    """Check the store: its file, its indexes, rules that cannot be read, events that belong nowhere.

    Reads everything but the archive; daemons may run meanwhile. Exits with 1 when something is wrong.
    """
    from rrcli.operations import check as operation

    records = 0
    problems: list[operation.Problem] = []
    for looked in spinning(state, "Checking", operation.check(state.context()), lambda each: each.records):
        records += looked.records
        problems += looked.problems
    emit(
        state,
        [operation.problem_view(each) for each in problems],
        table=lambda: _problems(state, [operation.problem_view(each) for each in problems]),
        ids=lambda view: str(view["subject"]),
    )
    if state.output == "table":
        what = count(len(problems), "problem") if problems else "All is well"
        state.remark(
            f"{what}: {count(records, 'schedule and live event', plural='schedules and live events')}."
        )
    return ExitCode.FAILED if problems else ExitCode.OK


def _problems(state: State, views: list[Json]) -> str:
    if not views:
        return ""
    columns = (
        Column("KIND"),
        Column("WHAT", least=24),
        Column("PROBLEM", least=16),
        Column("MEND", least=16),
    )
    rows = [
        (
            Cell(str(view["kind"]), "red"),
            str(view["subject"]),
            str(view["message"]),
            Cell(str(view["mend"]), "cyan"),
        )
        for view in views
    ]
    return table(columns, rows, width=state.width, rule=state.terminal)


@db.command(
    "purge", examples="rrcli db purge --older-than 90d\nrrcli db purge --before 2026-01-01T00:00:00Z --yes"
)
@click.option(
    "--older-than", type=arguments.DURATION, metavar="SPAN", help="Ended longer ago than this: 90d."
)
@click.option("--before", metavar="TIME", help="Ended before this time.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@pass_state
def purge(state: State, older_than: float | None, before: str | None, yes: bool) -> None:
    """Delete events from the archive that ended before a time; audits cannot see them any more.

    In small batches, so that daemons may run. The setting history.keep_days does this by itself.
    """
    from rrcli.operations import purge as operation

    if (older_than is None) == (before is None):
        raise click.UsageError("Say up to when: either --older-than or --before.")
    now = state.now()
    if before is not None:
        instant = times.instant_on_clock(before, field="before", now=now, zone=state.tz)
    else:
        instant = now - timedelta(seconds=older_than or 0)
    batches = operation.purge(state.context(), instant)
    _confirm_purge(state, times.with_offset(instant, state.tz), yes)
    deleted = sum(spinning(state, "Deleting", batches, int))
    emit(
        state,
        {"before": times.with_offset(instant, state.tz), "deleted": deleted},
        table=lambda: f"Deleted {count(deleted, 'event')}.",
        ids=lambda view: str(view["deleted"]),
    )


def _confirm_purge(state: State, instant: str, yes: bool) -> None:
    if yes:
        return
    if not state.interactive:
        raise click.UsageError("Deleting needs a yes, and there is no terminal to ask on: add --yes.")
    if not click.confirm(f"Delete all events that ended before {instant}?", err=True):
        raise click.ClickException("Nothing was deleted.")
