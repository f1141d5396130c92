"""Memory that the worker processes of one service share: made before they are forked, gone with the last.

A worker that is killed leaves no lock behind: the kernel ends the locks of a process with it.
"""

import fcntl
import mmap
import os
import struct
import tempfile
import threading
import weakref
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

from rrcli.metrics import REQUEST_SECONDS, REQUESTS, Distribution, Reading, Sample

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other")
_CLASSES = (1, 2, 3, 4, 5)
_BOUNDS = REQUEST_SECONDS.buckets
_COUNTERS = len(_METHODS) * len(_CLASSES)
_NUMBERS = _COUNTERS + len(_BOUNDS) + 2
_ROWS = 512
_KEYS = 16_384
_KEY = struct.Struct("<8sd")
_NUMBER_BYTES = 8


class _Lock:
    """Between threads and between processes."""

    def __init__(self) -> None:
        self._threads = threading.Lock()
        self._file, path = tempfile.mkstemp(prefix="rrcli-api-")
        os.unlink(path)
        weakref.finalize(self, os.close, self._file)

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


class Requests:
    """How many requests were answered, and how fast: a row of numbers for each process, added up when asked.

    After some hundred restarts of workers the newest share a row, and may lose a count.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, (1 + _ROWS * _NUMBERS) * _NUMBER_BYTES)
        self._numbers = memoryview(self._memory).cast("d")
        self._lock = _Lock()
        self._own = threading.Lock()
        self._row: tuple[int, int] | None = None

    def note(self, method: str, status: int, seconds: float) -> None:
        """One more."""
        known = _METHODS.index(method) if method in _METHODS else len(_METHODS) - 1
        number = known * len(_CLASSES) + min(max(status // 100, 1), 5) - 1
        bucket = _COUNTERS + bisect_left(_BOUNDS, seconds)
        with self._own:
            start = self._start()
            self._numbers[start + number] += 1.0
            self._numbers[start + bucket] += 1.0
            self._numbers[start + _NUMBERS - 1] += seconds

    def readings(self) -> Iterator[Reading]:
        """The sums over all processes, those that have ended too."""
        sums = [sum(each) for each in zip(*self._rows(), strict=True)]
        for position, method in enumerate(_METHODS):
            for offset, status in enumerate(_CLASSES):
                if value := sums[position * len(_CLASSES) + offset]:
                    yield Sample(metric=REQUESTS, value=value, labels=(method, f"{status}xx"))
        yield Distribution(metric=REQUEST_SECONDS, counts=sums[_COUNTERS:-1], total=sums[-1])

    def _rows(self) -> Iterator[tuple[float, ...]]:
        for row in range(_ROWS):
            first = 1 + row * _NUMBERS
            yield tuple(self._numbers[first : first + _NUMBERS])

    def _start(self) -> int:
        """The number at which this process's row begins; a process after a fork takes one of its own."""
        if self._row is None or self._row[0] != os.getpid():
            with self._lock.held():
                used = int(self._numbers[0])
                self._numbers[0] = used + 1
            self._row = (os.getpid(), 1 + min(used, _ROWS - 1) * _NUMBERS)
        return self._row[1]


class Buckets:
    """A token bucket for each caller, kept as the instant at which it would be full again (GCRA).

    One decision for all processes of a service: a limit for each process would let a caller with more
    connections do more. Not between machines: a question to the store before every request would cost more
    than most requests do, and a limit is there to keep one service from being run over.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _KEYS * _KEY.size)
        self._lock = _Lock()

    def take(self, caller: str, now: float, *, per_second: float, burst: int) -> float:
        """Take a token; 0 when there was one, else the seconds until there is. `now` is monotonic."""
        digest = blake2b(caller.encode(), digest_size=8).digest()
        step = 1 / per_second
        with self._lock.held():
            at, full_again = self._find(digest, now)
            full_again = max(full_again, now) + step
            wait = full_again - now - burst * step
            if wait > 1e-9:
                return wait
            _KEY.pack_into(self._memory, at, digest, full_again)
        return 0.0

    def _find(self, digest: bytes, now: float) -> tuple[int, float]:
        """The caller's place, else the first that nobody needs: a full bucket is as good as none."""
        first = int.from_bytes(digest, "little") % _KEYS
        free: int | None = None
        for step in range(16):
            at = (first + step) % _KEYS * _KEY.size
            found, full_again = _KEY.unpack_from(self._memory, at)
            if found == digest:
                return at, full_again
            if free is None and full_again <= now:
                free = at
        return (first * _KEY.size if free is None else free), 0.0


class Shared:
    """All of it."""

    def __init__(self) -> None:
        self.requests = Requests()
        self.buckets = Buckets()


OF_SERVICE = Shared()
"""Made when gunicorn's master imports this, so that its workers have the same."""
