"""The lines of requests, written together.

To write lets another thread have the interpreter, and then it has to be waited for: a busy service pays more
for that with every request than for making the line.
"""

import logging
import threading
from collections import deque

log = logging.getLogger(__name__)

LOGGER = "rrcli_api.access"
TOGETHER_SECONDS = 0.02
"""How long a line may wait. A process that is killed at once loses so much of them, and of no other lines."""
MOST_WAITING = 10_000
"""Lines, some megabytes. While the log takes none, more are left out: requests go on, in bounded memory."""


class Gathered(logging.Handler):
    """Stands before the root logger's handler, whose form and stream it uses; one for a process."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[str] = deque()
        self._lost = 0
        self._some = threading.Event()
        threading.Thread(target=self._write_on, name="log", daemon=True).start()

    def handle(self, record: logging.LogRecord) -> bool:
        """Takes no lock, or one thread would wait for what another one writes."""
        for handler in logging.getLogger().handlers[:1]:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(handler.format(record))
            else:
                self._lost += 1
        if not self._some.is_set():
            self._some.set()
        return True

    def flush(self) -> None:
        """Write what waits; also called when the process ends."""
        for handler in logging.getLogger().handlers[:1]:
            if isinstance(handler, logging.StreamHandler) and handler.lock:
                with handler.lock:
                    lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
                    try:
                        handler.stream.write("".join(f"{line}\n" for line in lines))
                        handler.flush()
                    except (OSError, ValueError):  # a full disk, a closed stream: the next lines try again
                        self._lost += len(lines)
                    else:
                        self._tell_lost()

    def _tell_lost(self) -> None:
        """No more than so many: the stream may have kept some of a write that failed."""
        lost, self._lost = self._lost, 0
        if lost:
            missing = "Lines of requests are missing, up to %d: the log could not be written"
            log.warning(missing, lost, extra={"action": "lines_lost"})

    def _write_on(self) -> None:
        pause = threading.Event()
        while True:
            self._some.wait()
            pause.wait(TOGETHER_SECONDS)
            self._some.clear()  # first: what comes from now on is written now, or sets it again
            self.flush()


def install() -> None:
    """Gather the lines of this process from now on."""
    log = logging.getLogger(LOGGER)
    log.addHandler(Gathered())
    log.propagate = False
