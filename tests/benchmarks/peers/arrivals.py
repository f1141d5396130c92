"""Calls as they arrive: the receiver's log, read while it grows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

LOG_FORMAT = "$msec $request_time $arg_run $arg_id $arg_at"
"""Of nginx: end and length of the request in seconds, and what the URL says of the call."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call: which, when its first byte came, and when it was due (epoch seconds; 0 when that is open)."""

    id: str
    came: float
    due: float

    @property
    def late_ms(self) -> float:
        """How long after it was due."""
        return (self.came - self.due) * 1000


class Arrivals:
    """What a receiver has logged so far, by the run that its URL names."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._position = 0
        self._runs: dict[str, list[Arrival]] = defaultdict(list)
        self._lock = Lock()

    def of(self, run: str) -> Sequence[Arrival]:
        """All of one run, in the order of the log."""
        with self._lock:
            self._read()
            return tuple(self._runs[run])

    def _read(self) -> None:
        if not self._log.exists():
            return
        with self._log.open("rb") as file:
            file.seek(self._position)
            whole, end, _ = file.read().rpartition(b"\n")
        self._position += len(whole) + len(end)
        for line in whole.decode().splitlines():
            ended, seconds, run, number, due = line.split()
            came = float(ended) - float(seconds)
            self._runs[run].append(Arrival(number, came, float(due) if due != "-" else 0.0))
