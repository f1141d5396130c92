"""A rule in plain English, with what is odd about it."""

import click

from rrcli.cli.output import Json
from rrcli.cli.state import State
from rrcli.cli.tables import title
from rrcli.cli.text import safe, wrap
from rrcli.core.recurrence import Recurrence


def view(recurrence: Recurrence) -> Json:
    """The rule as text, in words, and remarks with their codes: as `POST /api/preview` answers them."""
    return {
        "rrule": recurrence.text,
        "timezone": recurrence.timezone,
        "description": recurrence.describe(),
        "remarks": [{"code": each.code, "sentence": each.sentence} for each in recurrence.lint()],
    }


def page(state: State, recurrence: Recurrence) -> str:
    """The same for people."""
    words = recurrence.describe()
    lines = [title(line) for line in wrap(safe(words[:1].upper() + words[1:]), state.width)]
    lines += [click.style(f"  {safe(line)}", dim=True) for line in recurrence.text.split("\n")]
    for each in recurrence.lint():
        width = state.width and state.width - 4
        first, *rest = wrap(f"{each.code}: {safe(each.sentence)}", width)
        lines.append(f"  {click.style('!', fg='yellow')} {first}")
        lines += [f"    {line}" for line in rest]
    return "\n".join(lines)
