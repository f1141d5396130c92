"""How late calls are now, from those that ended last."""

from dataclasses import dataclass

from rrcli.operations.context import Context

_CALLS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Lateness:
    """How late the last calls began, in ms, and how many of them were looked at."""

    calls: int
    p50_ms: float
    p99_ms: float


def lateness(context: Context) -> Lateness | None:
    """Of the newest calls; None when there were none. Raises StoreUnavailable."""
    newest = context.repository.events.history(None, limit=_CALLS).items
    measured = sorted(event.lateness_ms for event in newest if event.lateness_ms is not None)
    if not measured:
        return None
    return Lateness(
        calls=len(measured),
        p50_ms=measured[(len(measured) - 1) // 2],
        p99_ms=measured[(len(measured) - 1) * 99 // 100],
    )
