"""How one thread wakes another that waits in `select`."""

import os


class Bell:
    """A descriptor that is readable from `ring` to `hush`. The caller holds a lock that all callers share."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._ringing = False

    def fileno(self) -> int:
        return self._reader

    def ring(self) -> None:
        if not self._ringing:
            self._ringing = True
            os.write(self._writer, b"\0")

    def hush(self) -> None:
        if self._ringing:
            self._ringing = False
            os.read(self._reader, 1)

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)
