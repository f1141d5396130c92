"""Many HTTP calls in flight, on a thread of their own: a stalled store never stalls a call."""

import threading
from collections.abc import Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf

import certifi

from rrcli.clock import Clock
from rrcli.core.request import Request
from rrcli.core.retry import Outcome
from rrcli.operations.handover import AHEAD
from rrcli_daemons.addresses import AddressPolicy
from rrcli_daemons.bell import Bell
from rrcli_daemons.http_call import Call
from rrcli_daemons.http_loop import Done, NetworkLoop

# A name look-up that hangs inside the C library can hold the network thread; nobody waits longer for it.
_PATIENCE_SECONDS = 2.0


class Sender:
    """One a process, made after any fork. All methods may be called from any thread."""

    def __init__(self, *, clock: Clock, policy: AddressPolicy, most: int, ca_file: str | None = None) -> None:
        """At most `most` calls are in flight; further ones wait their turn, and time runs for each from then.

        `ca_file` holds the trusted certificates (PEM); None takes certifi's.
        """
        self._clock = clock
        self._policy = policy
        self._most = most
        self._ca_file = ca_file or certifi.where()
        self._lock = threading.Lock()
        self._submitted: list[tuple[float, int, Call]] = []
        """A heap by when a call may begin, then by how they came."""
        self._numbers = count()
        self._live: dict[Call, None] = {}
        self._finished: list[tuple[str, Outcome]] = []
        self._aborts: list[threading.Event] = []
        self._thread: threading.Thread | None = None
        self._closed = False
        self._broken: BaseException | None = None
        self._wake = Bell()
        self._ready = Bell()

    def submit(self, calls: Sequence[tuple[str, Request]]) -> None:
        """Start the calls, each at its time under a key of the caller's, those due in this order.

        Returns at once. No call waits for its time longer than `AHEAD`, whatever the wall clock says.
        Raises RuntimeError after `close`, or when the network thread has ended by an error.
        """
        now, monotonic = self._clock.now(), self._clock.monotonic()
        new = [Call.of(key, request, begun=monotonic + _held(request, now)) for key, request in calls]
        with self._lock:
            if self._closed:
                raise RuntimeError("the sender is closed")
            self._check_thread()
            for call in new:
                heappush(self._submitted, (call.begun, next(self._numbers), call))
            self._live.update(dict.fromkeys(new))
            self._start_thread()
            self._wake.ring()

    def withdraw(self, waiting_seconds: float | None) -> list[str]:
        """Take back the calls that have waited their turn for so long, None: all that wait; their keys."""
        before = inf if waiting_seconds is None else self._clock.monotonic() - waiting_seconds
        with self._lock:
            back = [call for begins, _, call in self._submitted if begins <= before]
            if back:
                self._submitted = [each for each in self._submitted if each[0] > before]
                heapify(self._submitted)
            for call in back:
                del self._live[call]
        return [call.key for call in back]

    def collect(self) -> list[tuple[str, Outcome]]:
        """Key and outcome of the calls that ended since the last time; never waits.

        Raises RuntimeError when the network thread has ended by an error: what is in flight is unknown then.
        """
        with self._lock:
            self._check_thread()
            finished, self._finished = self._finished, []
            self._ready.hush()
        return finished

    def fileno(self) -> int:
        """A descriptor that is readable while `collect` has something."""
        return self._ready.fileno()

    @property
    def in_flight(self) -> int:
        """Calls submitted and neither collected, withdrawn nor aborted."""
        with self._lock:
            return len(self._live) + len(self._finished)

    def abort(self) -> list[str]:
        """Stop all calls and return the keys of those that had not ended; ended ones can still be collected.

        Waits for the connections to be closed, two seconds at most.
        """
        with self._lock:
            keys = [call.key for call in self._live]
            self._live.clear()
            self._submitted.clear()
            if self._thread is None:
                return keys
            stopped = threading.Event()
            self._aborts.append(stopped)
            self._wake.ring()
        stopped.wait(_PATIENCE_SECONDS)
        return keys

    def close(self) -> None:
        """Stop all calls and give everything back; what was not collected is lost. Safe twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._live.clear()
            self._submitted.clear()
            self._finished.clear()
            thread = self._thread
            self._wake.ring()
        if thread is not None:
            thread.join(_PATIENCE_SECONDS)
        if thread is None or not thread.is_alive():
            self._wake.close()
            self._ready.close()

    def _check_thread(self) -> None:
        if self._broken is not None:
            raise RuntimeError("the network thread has ended by an error") from self._broken

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="rrcli-sender", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as error:  # the caller's thread has to learn of it, whatever it is
            with self._lock:
                self._broken = error
                self._ready.ring()

    def _serve(self) -> None:
        loop = NetworkLoop(
            clock=self._clock, policy=self._policy, ca_file=self._ca_file, wake_fd=self._wake.fileno()
        )
        try:
            while self._obey(loop):
                self._publish(loop.turn(self._until_next(loop)))
        finally:
            loop.close()

    def _obey(self, loop: NetworkLoop) -> bool:
        """Take over what the other threads asked for; False to end."""
        room = self._most - loop.active
        with self._lock:
            self._wake.hush()
            now = self._clock.monotonic()
            new: list[Call] = []
            while self._submitted and len(new) < room and self._submitted[0][0] <= now:
                new.append(heappop(self._submitted)[2])
            aborts, self._aborts = self._aborts, []
            closed = self._closed
        if aborts or closed:
            loop.cancel()
            for stopped in aborts:
                stopped.set()
        loop.start(new)
        return not closed

    def _until_next(self, loop: NetworkLoop) -> float | None:
        """Seconds until the next call may begin; None while there is none, or no room for it."""
        with self._lock:
            if not self._submitted or loop.active >= self._most:
                return None
            return max(self._submitted[0][0] - self._clock.monotonic(), 0.0)

    def _publish(self, done: Sequence[Done]) -> None:
        if not done:
            return
        with self._lock:
            for call, outcome in done:
                # An aborted call has been given back already: it must not end a second time.
                if call in self._live:
                    del self._live[call]
                    self._finished.append((call.key, outcome))
            if self._finished:
                self._ready.ring()


def _held(request: Request, now: datetime) -> float:
    """Seconds until a request may be sent."""
    if request.at is None or request.at <= now:
        return 0.0
    return min(request.at - now, AHEAD).total_seconds()
