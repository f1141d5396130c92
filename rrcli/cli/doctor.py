"""`rrcli doctor`: what is wrong with this installation, and how to mend it."""

from collections.abc import Iterator

from rrcli.cli.exit_codes import ExitCode
from rrcli.cli.group import command
from rrcli.cli.output import emit
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import Cell, fields
from rrcli.cli.text import count
from rrcli.operations.doctor import Finding, Verdict, examine, finding_view

EXAMPLES = """
rrcli doctor
rrcli doctor --server https://scheduler.example.org
rrcli doctor -o json | jq '.[] | select(.verdict != "ok")'
"""

_COLOURS = {Verdict.FINE: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "red"}
_SIGNS = {Verdict.FINE: "✓", Verdict.WARNING: "!", Verdict.PROBLEM: "✗"}


@command("doctor", examples=EXAMPLES)
@pass_state
def doctor(state: State) -> int:
    """Check settings, files, store, versions, indexes, clocks, time zones, daemons, events and API keys.

    With --server: whether it answers, encryption, its clock and release, what the key allows, its daemons
    and events. Each finding comes with its mend. Exits with 1 when there is a problem; warnings do not count.
    """
    found = list(_findings(state))
    emit(
        state,
        [finding_view(each) for each in found],
        table=lambda: _page(state, found),
        ids=lambda view: str(view["check"]),
    )
    problems, warnings = (
        sum(each.verdict is verdict for each in found) for verdict in (Verdict.PROBLEM, Verdict.WARNING)
    )
    if state.output == "table":
        numbers = ((problems, "problem"), (warnings, "warning"))
        said = [count(number, noun) for number, noun in numbers if number]
        state.remark(f"{', '.join(said) or 'All is well'}.")
    return ExitCode.FAILED if problems else ExitCode.OK


def _findings(state: State) -> Iterator[Finding]:
    if state.settings.client.server:
        from rrcli.remote import doctor as remote

        return remote.examine(state.loaded, state.client(), state.clock)
    from rrcli.repository.factory import data_dir

    return examine(state.loaded, data_dir(state.settings), state.context, state.now())


def _page(state: State, found: list[Finding]) -> str:
    rows: list[tuple[str, Cell | str]] = []
    for each in found:
        colour = None if each.verdict is Verdict.FINE else _COLOURS[each.verdict]
        rows.append((f"{_SIGNS[each.verdict]} {each.check}", Cell(each.message, colour)))
        if each.mend:
            rows.append(("", Cell(f"→ {each.mend}", "cyan")))
    return fields(rows, width=state.width, indent=0)
