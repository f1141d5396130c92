"""The network side of the sender: all transfers of a process on one thread.

libcurl tells which sockets to watch and when to come back (its "socket action" interface), so a turn
costs as much as there is to do, not as much as there are transfers that wait.
"""

import selectors
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

_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
_READY = {
    selectors.EVENT_READ: pycurl.CSELECT_IN,
    selectors.EVENT_WRITE: pycurl.CSELECT_OUT,
    selectors.EVENT_READ | selectors.EVENT_WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}

Done = tuple[Call, Outcome]


class NetworkLoop:
    """Runs calls. Belongs to the thread that made it; `wake_fd` becoming readable ends a wait."""

    def __init__(self, *, clock: Clock, policy: AddressPolicy, ca_file: str | None, wake_fd: int) -> None:
        self._clock = clock
        self._policy = policy
        self._ca_file = ca_file
        self._wake_fd = wake_fd
        self._selector = selectors.DefaultSelector()
        self._selector.register(wake_fd, selectors.EVENT_READ)
        self._active: dict[pycurl.Curl, Transfer] = {}
        self._idle: list[Transfer] = []
        self._done: list[Done] = []
        self._timer_due: float | None = None
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, KEPT_CONNECTIONS)

    def start(self, calls: Sequence[Call]) -> None:
        """Hand new calls to curl; they begin with the next turn."""
        for call in calls:
            call.started = self._clock.now()
            call.begun = self._clock.monotonic()
            transfer = self._idle.pop() if self._idle else Transfer(self._policy, self._ca_file)
            self._begin(transfer, call)

    def turn(self) -> list[Done]:
        """Wait for the network or `wake_fd`, do what there is to do, and return the calls that ended."""
        ready = self._selector.select(self._wait_seconds())
        for key, events in ready:
            if key.fd != self._wake_fd:
                self._multi.socket_action(key.fd, _READY[events])
        if self._timer_due is not None and self._timer_due <= time.monotonic():
            self._timer_due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()
        done, self._done = self._done, []
        return done

    def cancel(self) -> None:
        """Drop every call and its connection."""
        for transfer in list(self._active.values()):
            self._retire(transfer)
        self._done.clear()

    def close(self) -> None:
        """Drop every call and free all that curl holds."""
        self.cancel()
        self._multi.close()
        for transfer in self._idle:
            transfer.close()
        self._idle.clear()
        self._selector.close()

    def _begin(self, transfer: Transfer, call: Call) -> None:
        left = call.request.timeout_seconds - (self._clock.monotonic() - call.begun)
        try:
            transfer.prepare(call, left_seconds=left)
        except (pycurl.error, ValueError) as error:
            self._idle.append(transfer)
            self._done.append((call, transfer.rejected(unusable(error), duration_ms=self._elapsed_ms(call))))
            return
        self._active[transfer.curl] = transfer
        self._multi.add_handle(transfer.curl)

    def _retire(self, transfer: Transfer) -> None:
        self._multi.remove_handle(transfer.curl)
        del self._active[transfer.curl]
        transfer.release()
        self._idle.append(transfer)

    def _collect(self) -> None:
        queued = 1
        while queued:
            queued, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                self._succeeded(self._active[curl])
            for curl, code, message in failed:
                self._failed(self._active[curl], code, message)

    def _succeeded(self, transfer: Transfer) -> None:
        call = transfer.call
        assert call is not None
        target = transfer.redirect_target()
        if target is None:
            self._finish(transfer, call, transfer.answered(duration_ms=self._elapsed_ms(call)))
        elif call.redirects == MAX_REDIRECTS:
            self._finish(transfer, call, transfer.too_many_redirects(duration_ms=self._elapsed_ms(call)))
        else:
            self._retire(transfer)
            call.redirect(*target)
            self._begin(self._idle.pop(), call)

    def _failed(self, transfer: Transfer, code: int, message: str) -> None:
        call = transfer.call
        assert call is not None
        self._finish(transfer, call, transfer.failed(code, message, duration_ms=self._elapsed_ms(call)))

    def _finish(self, transfer: Transfer, call: Call, outcome: Outcome) -> None:
        self._done.append((call, outcome))
        self._retire(transfer)

    def _elapsed_ms(self, call: Call) -> float:
        return (self._clock.monotonic() - call.begun) * 1000

    def _watch(self, event: int, fd: int, _multi: object, _data: object) -> None:
        """Called by curl when it wants other events of a socket, or none."""
        known = fd in self._selector.get_map()
        if event == pycurl.POLL_REMOVE:
            if known:
                self._selector.unregister(fd)
        elif known:
            self._selector.modify(fd, _EVENTS[event])
        else:
            self._selector.register(fd, _EVENTS[event])

    def _set_timer(self, milliseconds: int) -> None:
        """Called by curl when it wants to come back at another time; -1 for never."""
        # Real time, whatever clock was injected: it paces sockets, nothing that is recorded.
        self._timer_due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _wait_seconds(self) -> float | None:
        if self._done:
            return 0
        return None if self._timer_due is None else max(0.0, self._timer_due - time.monotonic())
