"""The tables: where a peer is better, ours beside theirs, what a crash costs, and how everything was set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.peers.catalogue import OURS, Peer
from tests.benchmarks.peers.killing import Killed
from tests.benchmarks.peers.measures import Drained, Held, Late, Sizes
from tests.benchmarks.results import Cell, Results, text


@dataclass(kw_only=True, slots=True)
class Found:
    """What was measured of one peer; a string says why there is no figure."""

    peer: Peer
    version: str
    drained: Drained | str = "not run"
    late: Late | str = "not run"
    held: Held | str = "not run"
    killed: Killed | str = "not run"
    killed_safe: Killed | str = "not run"
    figures: dict[str, Cell] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.peer.name} {self.version}".strip()


MORE_IS_BETTER = "drain events/s"
FIGURES: Mapping[str, tuple[str, str]] = {
    MORE_IS_BETTER: ("drained", "per_second"),
    "drain CPU ms": ("drained", "cpu_ms"),
    "late p50 ms": ("late", "p50_ms"),
    "late p99 ms": ("late", "p99_ms"),
    "load s": ("held", "load_seconds"),
    "RSS MiB": ("held", "memory_mib"),
    "store MiB": ("held", "store_mib"),
    "minute CPU s": ("held", "minute_cpu_seconds"),
    "killed: lost": ("killed", "lost"),
    "made twice": ("killed", "doubled"),
    "last one after s": ("killed", "last_seconds"),
}


def fill(results: Results, found: Sequence[Found], sizes: Sizes) -> None:
    """All tables, those where a peer is better first."""
    for each in found:
        each.figures = {column: _figure(each, *where) for column, where in FIGURES.items()}
    _better(results, found)
    _beside(results, found, sizes)
    _killed(results, found, sizes)
    rows = [[each.title, each.peer.settings, each.peer.schedules] for each in found]
    results.table("Settings", ("system", "workers and client", "schedules are kept in"), rows)


def _figure(found: Found, measure: str, name: str) -> Cell:
    value = getattr(found, measure)
    return value if isinstance(value, str) else getattr(value, name)


def _better(results: Results, found: Sequence[Found]) -> None:
    """Every figure of a peer that beats ours on servers, or that ours on servers has not."""
    ours = [each for each in found if each.peer.name.startswith(OURS)]
    rows: list[list[Cell]] = []
    for column in FIGURES:
        own = ours[0].figures[column] if ours else "not run"
        ahead = [each for each in found if each not in ours and _beats(column, each.figures[column], own)]
        if ours and ahead:
            names = "; ".join(
                f"{each.peer.name} {text(each.figures[column])}{_but(each, column)}" for each in ahead
            )
            rows.append([column, *(each.figures[column] for each in ours), names])
    columns = ("measure", *(each.peer.name for each in ours), "better")
    note = "(code): its schedules are part of its program, nothing is stored, and none changes while it runs."
    results.table("Where a peer is better", columns, rows, note=note)


def _but(found: Found, column: str) -> str:
    """What is to be known beside the better figure."""
    measure = FIGURES[column][0]
    if measure == "held" and found.peer.in_code:
        return " (code)"
    if measure == "killed" and isinstance(found.killed, Killed) and found.killed.missing:
        return f" (and {found.killed.missing:,} not made)"
    return ""


def _beats(column: str, theirs: Cell, own: Cell) -> bool:
    if theirs is None or isinstance(theirs, str):
        return False
    if own is None or isinstance(own, str):
        return True
    return theirs > own if column == MORE_IS_BETTER else theirs < own


def _beside(results: Results, found: Sequence[Found], sizes: Sizes) -> None:
    rows = []
    for each in found:
        called = each.held.called if isinstance(each.held, Held) else None
        rows.append([each.title, *each.figures.values(), called])
    results.table(
        "Ours beside theirs",
        ("system", *FIGURES, "minute calls"),
        rows,
        note=(
            f"drain: {sizes.drained:,} due calls, start-up taken off, and CPU of each call. late: from the "
            "whole second to the first byte of the call, 100 calls at each second. load, RSS, store: "
            f"{sizes.held:,} schedules. minute: CPU of one in which 100 of them are due. RSS: what processes "
            "share counted once. CPU and store with the servers of the system, without the receiver."
        ),
    )


def _killed(results: Results, found: Sequence[Found], sizes: Sizes) -> None:
    rows: list[list[Cell]] = []
    for each in found:
        rows.append([each.title, "defaults", *_crash(each.killed)])
        if each.peer.safe:
            rows.append([each.title, each.peer.safe, *_crash(each.killed_safe)])
    results.table(
        f"SIGKILL to all processes of the system while {sizes.killed:,} calls are drained, then a new start",
        ("system", "settings", "lost", "held back", "made twice", "last one after s"),
        rows,
        note=(
            f"Held back: not made {sizes.return_seconds:g} s after the last kill, but still in the store, "
            "claimed by the dead worker or marked as failed. Made twice: what was in flight; a call of ours "
            "carries the same webhook-id both times."
        ),
    )


def _crash(killed: Killed | str) -> list[Cell]:
    if isinstance(killed, str):
        return [killed, None, None, None]
    held_back = killed.missing - killed.lost
    return [killed.lost, held_back, killed.doubled, round(killed.last_seconds, 1)]
