"""`rrcli apply`: bring the store in line with schedules declared in files."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from rrcli.cli import arguments, plan_report, progress
from rrcli.cli.group import command
from rrcli.cli.output import emit
from rrcli.cli.state import State, pass_state
from rrcli.cli.text import count, safe
from rrcli.errors import SchedulerError
from rrcli.operations import apply as operation
from rrcli.operations import manifest
from rrcli.operations.apply import Action, Step
from rrcli.operations.manifest_yaml import MOST_CHARACTERS

EXAMPLES = """
rrcli apply -f schedules.yaml --dry-run
rrcli apply -f schedules/ -f more.yaml --prune --tag team-a
rrcli export | ssh other-host rrcli apply -f -
"""

_ENDINGS = (".yaml", ".yml", ".json")
_DONE = {
    Action.CREATE: "created",
    Action.CHANGE: "changed",
    Action.DELETE: "deleted",
    Action.KEEP: "unchanged",
}


@command("apply", examples=EXAMPLES)
@click.option(
    "-f",
    "--file",
    "files",
    required=True,
    multiple=True,
    type=arguments.PATH,
    metavar="PATH",
    help="A file, a folder of .yaml, .yml and .json files, or - for stdin; repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--prune", is_flag=True, help="Delete what has the --tag and is in none of the files.")
@click.option("--tag", type=arguments.UTF8, metavar="WORD", help="What --prune may delete has this tag.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before schedules are deleted.")
@pass_state
def apply(
    state: State, files: tuple[str, ...], dry_run: bool, prune: bool, tag: str | None, yes: bool
) -> None:
    """Create and change schedules so that they are as the files say.

    A schedule is known by its name. Shown is what changes, field by field, and which occurrences of the next
    30 days appear, vanish or move. Applying the same files twice changes nothing.
    """
    if prune is not (tag is not None):
        raise click.UsageError("--prune and --tag go together: only what has the tag may be deleted.")
    wanted = manifest.read(list(sources(files)), now=state.now(), environment=os.environ)
    if not wanted and not prune:
        raise click.UsageError("The files declare no schedule.")
    finish(state, _planned(state, wanted, tag), dry_run=dry_run, yes=yes)


def finish(state: State, steps: Sequence[Step], *, dry_run: bool, yes: bool = False) -> None:
    """Show the plan, and carry it out unless it is a dry run; deleting is asked about first."""
    if dry_run or state.output == "table":
        _show(state, steps)
    if dry_run:
        return
    _confirm(state, steps, yes)
    _carry_out(state, steps)
    if state.output != "table":
        _show(state, steps)


def sources(files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The name and text of every file that is meant."""
    if files.count("-") > 1:
        raise click.UsageError("stdin can be read once.")
    for name in files:
        if name == "-":
            yield "stdin", _decoded(sys.stdin.buffer.read(4 * MOST_CHARACTERS + 4), "stdin")
            continue
        path = Path(name)
        inside = (
            sorted(each for each in path.glob("*") if each.suffix in _ENDINGS) if path.is_dir() else [path]
        )
        if not inside:
            raise click.UsageError(f"{name} has no file that ends in {', '.join(_ENDINGS)}.")
        for each in inside:
            try:
                data = each.read_bytes()
            except OSError as error:
                raise click.BadParameter(f"{each}: {error.strerror}.", param_hint="-f") from error
            yield str(each), _decoded(data, str(each))


def _decoded(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{source} is not UTF-8.", param_hint="-f") from error


def _planned(state: State, wanted: Sequence[manifest.Declared], tag: str | None) -> list[Step]:
    context = state.context()
    return list(operation.plan(context, _counted(state, wanted), state.service(), prune=tag))


def _counted(state: State, wanted: Sequence[manifest.Declared]) -> Iterator[manifest.Declared]:
    for index, _ in enumerate(progress.counted(state, "Comparing", (1 for _ in wanted), len(wanted))):
        yield wanted[index]


def _show(state: State, steps: Sequence[Step]) -> None:
    emit(
        state,
        plan_report.views(state, steps),
        table=lambda: plan_report.page(state, steps),
        ids=lambda view: str(view["name"]),
    )


def _confirm(state: State, steps: Sequence[Step], yes: bool) -> None:
    doomed = sum(step.action is Action.DELETE for step in steps)
    if yes or not doomed:
        return
    if not state.interactive:
        raise click.UsageError("Deleting needs a yes, and there is no terminal to ask on: add --yes.")
    if not click.confirm(f"Delete {count(doomed, 'schedule')} with all events?", err=True):
        raise click.ClickException("Nothing was changed.")


def _carry_out(state: State, steps: Sequence[Step]) -> None:
    """Do it, say how it went, and fail with the first thing that did not work."""
    done: Counter[Action] = Counter()
    failed: list[SchedulerError] = []
    try:
        for step, error in operation.carry_out(state.service(), _stepping(state, steps)):
            if error is None:
                done[step.action] += 1
            else:
                failed.append(error)
                state.remark(f"{click.style('Not done:', fg='red')} {safe(step.name)}: {error.message}")
    except KeyboardInterrupt:
        state.remark(f"Interrupted: {_told(done)} of {len(steps):,}. Apply again to go on.")
        raise
    told = _told(done)
    if failed or (state.output == "table" and set(done) != {Action.KEEP}):
        state.remark(f"{told or 'nothing done'}.")
    if failed:
        raise failed[0]


def _told(done: Counter[Action]) -> str:
    return ", ".join(f"{done[action]:,} {word}" for action, word in _DONE.items() if done[action])


def _stepping(state: State, steps: Sequence[Step]) -> Iterator[Step]:
    changes = [step for step in steps if step.action is not Action.KEEP]
    yield from (step for step in steps if step.action is Action.KEEP)
    for index, _ in enumerate(progress.counted(state, "Applying", (1 for _ in changes), len(changes))):
        yield changes[index]
