"""A rule in plain English, with what is odd about it."""

import click

from rrcli.cli.output import Json
from rrcli.cli.state import State
from rrcli.cli.tables import title
from rrcli.cli.text import safe, wrap
from rrcli.core.recurrence import Lint, Recurrence

_DTSTART = "dtstart-not-an-occurrence"


def view(recurrence: Recurrence, *, is_anchored: bool = False) -> Json:
    """The rule as text, in words, and remarks with their codes: as `POST /api/preview` answers them."""
    return {
        "rrule": recurrence.text,
        "timezone": recurrence.timezone,
        "description": recurrence.describe(),
        "remarks": [
            {"code": each.code, "sentence": each.sentence} for each in _remarks(recurrence, is_anchored)
        ],
    }


def page(state: State, recurrence: Recurrence, *, is_anchored: bool = False) -> str:
    """The same for people."""
    words = recurrence.describe()
    lines = [title(line) for line in wrap(safe(words[:1].upper() + words[1:]), state.width)]
    lines += [click.style(f"  {safe(line)}", dim=True) for line in recurrence.text.split("\n")]
    for each in _remarks(recurrence, is_anchored):
        width = state.width and state.width - 4
        first, *rest = wrap(f"{each.code}: {safe(each.sentence)}", width)
        lines.append(f"  {click.style('!', fg='yellow')} {first}")
        lines += [f"    {line}" for line in rest]
    return "\n".join(lines)


def _remarks(recurrence: Recurrence, is_anchored: bool) -> list[Lint]:
    """All that is odd; `is_anchored` says that DTSTART is the moment of creation, which nobody chose."""
    return [each for each in recurrence.lint() if not (is_anchored and each.code == _DTSTART)]
