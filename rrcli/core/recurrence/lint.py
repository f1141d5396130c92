from dataclasses import dataclass

from rrcli.core.recurrence.components import Components
from rrcli.core.recurrence.instants import InstantSet


@dataclass(frozen=True)
class Lint:
    code: str
    sentence: str


def remarks(c: Components, i: InstantSet) -> tuple[Lint, ...]:
    return ()


def refuse_emptied(c: Components, i: InstantSet) -> None: ...
