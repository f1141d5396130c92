"""How fast calls end, which says how many more may be made ready to follow them."""

from collections import deque

AHEAD_SECONDS = 0.15
"""What is made ready beforehand would follow within about this time, as fast as calls end now.

Half of it again as long as what is not due yet may have been handed over ahead.
"""

BUSY = 60
"""So many calls that ended lately: 400 a second."""


class Pace:
    """The calls that ended within the last `AHEAD_SECONDS`. Times are those of a monotonic clock."""

    def __init__(self) -> None:
        self._ends: deque[tuple[float, int]] = deque()
        self._number = 0

    def ended(self, number: int, monotonic: float) -> None:
        """So many ended just now."""
        self._ends.append((monotonic, number))
        self._number += number

    def lately(self, monotonic: float) -> int:
        """How many ended in the time before `monotonic`."""
        while self._ends and self._ends[0][0] <= monotonic - AHEAD_SECONDS:
            self._number -= self._ends.popleft()[1]
        return self._number

    def is_busy(self, monotonic: float) -> bool:
        """Whether calls end so fast that the next ones shall not wait until results are written."""
        return self.lately(monotonic) >= BUSY
