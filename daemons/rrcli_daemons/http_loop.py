"""The network side of the sender: all transfers of a process on one thread.

libcurl tells which sockets to watch and when to come back (its "socket action" interface), so a turn
costs as much as there is to do, not as much as there are transfers that wait.
"""

import logging
import select
import sys
from collections.abc import Sequence

import pycurl

from rrcli.clock import Clock
from rrcli.core.retry import Outcome
from rrcli_daemons.addresses import AddressPolicy
from rrcli_daemons.http_call import MAX_REDIRECTS, Call, Transfer
from rrcli_daemons.http_engine import POLL_UNITS_PER_MS, Engine, Poller
from rrcli_daemons.http_errors import Failure, unusable
from rrcli_daemons.http_names import Names, Standing

log = logging.getLogger(__name__)

# Idle connections kept for reuse: well under the 1,024 open files that a process usually may have.
_KEPT_CONNECTIONS = {Standing.PROVEN: 512, Standing.NEW: 32, Standing.FAILING: 32}

Done = tuple[Call, Outcome]


class NetworkLoop:
    """Runs calls. Belongs to the thread that made it; `wake_fd` becoming readable ends a wait."""

    def __init__(self, *, clock: Clock, policy: AddressPolicy, ca_file: str, wake_fd: int) -> None:
        self._clock = clock
        self._policy = policy
        self._ca_file = ca_file
        self._poller = Poller()
        self._poller.register(wake_fd, select.POLLIN)
        self._watched: dict[int, Engine] = {}
        self._engines = tuple(
            Engine(self._poller, self._watched, kept_connections=_KEPT_CONNECTIONS[standing])
            for standing in Standing
        )
        self._names = Names()
        self._active: dict[pycurl.Curl, tuple[Transfer, Engine]] = {}
        self._idle: list[Transfer] = []
        self._done: list[Done] = []

    @property
    def active(self) -> int:
        """Calls that have begun and not ended."""
        return len(self._active)

    def start(self, calls: Sequence[Call]) -> None:
        """Hand new calls to curl; they begin with the next turn."""
        for call in calls:
            call.started = self._clock.now()
            call.begun = self._clock.monotonic()
            self._begin(call)

    def turn(self, most_seconds: float | None = None) -> list[Done]:
        """Wait for the network or `wake_fd`, do what there is to do, and return the calls that ended.

        Waits `most_seconds` at most; None: as long as it takes.
        """
        for fd, events in self._poller.poll(self._wait(most_seconds)):
            engine = self._watched.get(fd)
            if engine is not None:
                engine.act(fd, events)
        for engine in self._engines:
            engine.act_on_time()
            self._collect(engine)
        done, self._done = self._done, []
        return done

    def cancel(self) -> None:
        """Drop every call and its connection."""
        for transfer, engine in list(self._active.values()):
            self._retire(transfer, engine)
        self._done.clear()

    def close(self) -> None:
        """Drop every call and free all that curl holds; waits for name look-ups that hang."""
        self.cancel()
        for engine in self._engines:
            engine.multi.close()
        for transfer in self._idle:
            transfer.close()
        self._idle.clear()
        if sys.platform == "linux":
            self._poller.close()

    def _begin(self, call: Call) -> None:
        transfer = self._idle.pop() if self._idle else Transfer(self._policy, self._ca_file)
        left = call.request.timeout_seconds - (self._clock.monotonic() - call.begun)
        try:
            transfer.prepare(call, left_seconds=left)
        except (pycurl.error, ValueError) as error:
            self._done.append((call, transfer.rejected(unusable(error), duration_ms=self._elapsed_ms(call))))
            self._idle.append(transfer)
            return
        engine = self._engines[self._names.standing(call.url)]
        self._active[transfer.curl] = transfer, engine
        engine.multi.add_handle(transfer.curl)

    def _retire(self, transfer: Transfer, engine: Engine) -> None:
        engine.multi.remove_handle(transfer.curl)
        del self._active[transfer.curl]
        self._idle.append(transfer)

    def _collect(self, engine: Engine) -> None:
        queued = 1
        while queued:
            queued, succeeded, failed = engine.multi.info_read()
            for curl in succeeded:
                self._ended(self._active[curl][0], engine, 0, "")
            for curl, code, message in failed:
                self._ended(self._active[curl][0], engine, code, message)

    def _ended(self, transfer: Transfer, engine: Engine, code: int, message: str) -> None:
        """Deal with one transfer; whatever its receiver made it stumble over, the others go on."""
        call = transfer.call
        try:
            if code:
                self._failed(transfer, engine, code, message)
            else:
                self._succeeded(transfer, engine)
        except Exception as error:
            log.exception("The answer to a call could not be dealt with.", extra={"action": "call_failed"})
            outcome = transfer.rejected(
                Failure(f"the answer could not be dealt with: {type(error).__name__}"),
                duration_ms=self._elapsed_ms(call),
            )
            self._done.append((call, outcome))
            if transfer.curl in self._active:
                self._retire(transfer, engine)

    def _succeeded(self, transfer: Transfer, engine: Engine) -> None:
        call = transfer.call
        if engine is not self._engines[Standing.PROVEN]:
            self._names.resolved(call.url)
        target = transfer.redirect_target() if call.request.follow_redirects else None
        if target is None:
            self._finish(transfer, engine, transfer.answered(duration_ms=self._elapsed_ms(call)))
        elif call.redirects == MAX_REDIRECTS:
            self._finish(transfer, engine, transfer.too_many_redirects(duration_ms=self._elapsed_ms(call)))
        else:
            self._retire(transfer, engine)
            call.redirect(*target)
            self._begin(call)

    def _failed(self, transfer: Transfer, engine: Engine, code: int, message: str) -> None:
        call = transfer.call
        if transfer.never_resolved(code):
            self._names.failed(call.url)
        self._finish(transfer, engine, transfer.failed(code, message, duration_ms=self._elapsed_ms(call)))

    def _finish(self, transfer: Transfer, engine: Engine, outcome: Outcome) -> None:
        self._done.append((transfer.call, outcome))
        self._retire(transfer, engine)

    def _elapsed_ms(self, call: Call) -> float:
        return (self._clock.monotonic() - call.begun) * 1000

    def _wait(self, most_seconds: float | None) -> float | None:
        """How long to poll, in the units of the poller; None for as long as it takes."""
        if self._done:
            return 0
        waits: list[float] = [wait for engine in self._engines if (wait := engine.wait_ms()) >= 0]
        if most_seconds is not None:
            waits.append(most_seconds * 1000)
        return min(waits) * POLL_UNITS_PER_MS if waits else None
