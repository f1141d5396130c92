"""The state diagram says what the code does: the same states, and no step that nobody makes."""

import re

from rrcli.core.models import EventState
from tests.docs.markdown import ROOT, blocks

FLOW = ROOT / "docs" / "flow.md"
_STEP = re.compile(r"^ +(\S+) --> (\w+)(?:: .+)?$", re.M)
_FINAL = re.compile(r"^ +class (\S+) final$", re.M)


def _diagram() -> str:
    diagrams = [block.text for block in blocks(FLOW) if block.language == "mermaid"]
    assert len(diagrams) == 1
    assert diagrams[0].startswith("stateDiagram-v2\n")
    return diagrams[0]


def _steps() -> list[tuple[str, str]]:
    return _STEP.findall(_diagram())


def test_the_diagram_holds_exactly_the_states_of_the_model() -> None:
    drawn = {state for step in _steps() for state in step} - {"[*]"}
    assert drawn == {state.value for state in EventState}


def test_every_line_of_the_diagram_is_understood_here() -> None:
    styles = re.findall(r"^ +class(?:Def)? .+$", _diagram(), re.M)
    assert len(_steps()) + len(styles) == len(_diagram().splitlines()) - 1


def test_final_states_are_marked_and_left_by_those_only_that_can_be_on_again() -> None:
    (marked,) = _FINAL.findall(_diagram())
    final = {state.value for state in EventState if state.final}
    assert set(marked.split(",")) == final
    assert {state for state, _ in _steps()} & final == {"superseded", "skipped"}


def test_every_state_is_reached() -> None:
    steps = _steps()
    reached, waiting = {"[*]"}, ["[*]"]
    while waiting:
        here = waiting.pop()
        there = {target for state, target in steps if state == here} - reached
        reached |= there
        waiting += there
    assert reached == {"[*]"} | {state.value for state in EventState}


def test_each_step_stands_in_the_table_of_who_makes_it() -> None:
    rows = re.findall(r"^\| ([^|]+) \| `(\w+)` \|", FLOW.read_text(encoding="utf-8"), re.M)
    live = {state.value for state in EventState if not state.final}
    told = set()
    for sources, target in rows:
        names = (
            {"[*]"}
            if "–" in sources
            else live
            if "any live" in sources
            else set(re.findall(r"`(\w+)`", sources))
        )
        told |= {(source, target) for source in names}
    assert told == set(_steps())
