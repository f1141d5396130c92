"""The network side of the sender: all transfers of a process on one thread.

libcurl tells which sockets to watch and when to come back (its "socket action" interface), so a turn
costs as much as there is to do, not as much as there are transfers that wait.
"""

import select
import sys
import time
from collections.abc import Sequence

import pycurl

from rrcli.clock import Clock
from rrcli.core.retry import Outcome
from rrcli_daemons.addresses import AddressPolicy
from rrcli_daemons.http_call import MAX_REDIRECTS, Call, Transfer
from rrcli_daemons.http_errors import unusable

# Idle connections kept for reuse: well under the 1,024 open files that a process usually may have.
KEPT_CONNECTIONS = 512
# Hosts remembered for names that could not be resolved.
_SUSPECTS = 10_000

# Bare epoll or poll, whose events have the same numbers: the objects that `selectors` makes at every change
# would cost more than the rest of the loop.
if sys.platform == "linux":
    _Poller = select.epoll
    _POLL_UNITS_PER_SECOND = 1
else:
    _Poller = select.poll
    _POLL_UNITS_PER_SECOND = 1000
_EVENTS = {
    pycurl.POLL_IN: select.POLLIN,
    pycurl.POLL_OUT: select.POLLOUT,
    pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT,
}
_READY = {select.POLLIN: pycurl.CSELECT_IN, select.POLLOUT: pycurl.CSELECT_OUT}
# An error or a hang-up: reading and writing tell curl which.
_EITHER = pycurl.CSELECT_IN | pycurl.CSELECT_OUT

Done = tuple[Call, Outcome]


class NetworkLoop:
    """Runs calls. Belongs to the thread that made it; `wake_fd` becoming readable ends a wait.

    Hosts whose names could not be resolved are called through an engine of their own. libcurl resolves on 20
    threads an engine, and a look-up that hangs keeps its thread even when its call has timed out; without
    this, 20 dead names would hold up every name that is not cached.
    """

    def __init__(self, *, clock: Clock, policy: AddressPolicy, ca_file: str | None, wake_fd: int) -> None:
        self._clock = clock
        self._policy = policy
        self._ca_file = ca_file
        self._poller = _Poller()
        self._poller.register(wake_fd, select.POLLIN)
        self._engines = (_Engine(self._poller), _Engine(self._poller))
        self._active: dict[pycurl.Curl, tuple[Transfer, _Engine]] = {}
        self._idle: list[Transfer] = []
        self._done: list[Done] = []
        self._suspects: dict[str, None] = {}

    def start(self, calls: Sequence[Call]) -> None:
        """Hand new calls to curl; they begin with the next turn."""
        for call in calls:
            call.started = self._clock.now()
            call.begun = self._clock.monotonic()
            self._begin(call)

    def turn(self) -> list[Done]:
        """Wait for the network or `wake_fd`, do what there is to do, and return the calls that ended."""
        for fd, events in self._poller.poll(self._wait()):
            for engine in self._engines:
                if fd in engine.sockets:
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
        engine = self._engines[bool(self._suspects) and call.host in self._suspects]
        self._active[transfer.curl] = transfer, engine
        engine.multi.add_handle(transfer.curl)

    def _retire(self, transfer: Transfer, engine: "_Engine") -> None:
        engine.multi.remove_handle(transfer.curl)
        del self._active[transfer.curl]
        self._idle.append(transfer)

    def _collect(self, engine: "_Engine") -> None:
        queued = 1
        while queued:
            queued, succeeded, failed = engine.multi.info_read()
            for curl in succeeded:
                self._succeeded(self._active[curl][0], engine)
            for curl, code, message in failed:
                self._failed(self._active[curl][0], engine, code, message)

    def _succeeded(self, transfer: Transfer, engine: "_Engine") -> None:
        call = transfer.call
        if self._suspects:
            self._suspects.pop(call.host, None)
        target = transfer.redirect_target() if call.request.follow_redirects else None
        if target is None:
            self._finish(transfer, engine, transfer.answered(duration_ms=self._elapsed_ms(call)))
        elif call.redirects == MAX_REDIRECTS:
            self._finish(transfer, engine, transfer.too_many_redirects(duration_ms=self._elapsed_ms(call)))
        else:
            self._retire(transfer, engine)
            call.redirect(*target)
            self._begin(call)

    def _failed(self, transfer: Transfer, engine: "_Engine", code: int, message: str) -> None:
        call = transfer.call
        if transfer.never_resolved(code):
            if len(self._suspects) >= _SUSPECTS:
                self._suspects.clear()
            self._suspects[call.host] = None
        self._finish(transfer, engine, transfer.failed(code, message, duration_ms=self._elapsed_ms(call)))

    def _finish(self, transfer: Transfer, engine: "_Engine", outcome: Outcome) -> None:
        self._done.append((transfer.call, outcome))
        self._retire(transfer, engine)

    def _elapsed_ms(self, call: Call) -> float:
        return (self._clock.monotonic() - call.begun) * 1000

    def _wait(self) -> float | None:
        """How long to poll, in the units of the poller; None for as long as it takes."""
        if self._done:
            return 0
        due = min((engine.due for engine in self._engines if engine.due is not None), default=None)
        return None if due is None else max(0.0, due - time.monotonic()) * _POLL_UNITS_PER_SECOND


class _Engine:
    """One CurlMulti, the sockets that it wants watched, and when it wants to come back (`due`)."""

    def __init__(self, poller: "select.epoll") -> None:
        self.sockets: set[int] = set()
        self.due: float | None = None
        self._poller = poller
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self.multi.setopt(pycurl.M_MAXCONNECTS, KEPT_CONNECTIONS)

    def act(self, fd: int, events: int) -> None:
        """Do what the socket is ready for."""
        self.multi.socket_action(fd, _READY.get(events, _EITHER))

    def act_on_time(self) -> None:
        """Start what was added and end what has timed out, when it is time."""
        if self.due is not None and self.due <= time.monotonic():
            self.due = None
            self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _watch(self, event: int, fd: int, _multi: object, _data: object) -> None:
        """Called by curl when it wants other events of a socket, or none."""
        if event == pycurl.POLL_REMOVE:
            if fd in self.sockets:
                self.sockets.remove(fd)
                self._poller.unregister(fd)
        elif fd in self.sockets:
            self._poller.modify(fd, _EVENTS[event])
        else:
            self.sockets.add(fd)
            self._poller.register(fd, _EVENTS[event])

    def _set_timer(self, milliseconds: int) -> None:
        """Called by curl when it wants to come back at another time; -1 for never."""
        # Real time, whatever clock was injected: it paces sockets, nothing that is recorded.
        self.due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
