"""One CurlMulti, driven by the sockets that it wants watched and the times when it wants to come back."""

import select
import sys

import pycurl

# Bare epoll or poll, whose events have the same numbers: the objects that `selectors` makes at every change
# would cost more than the rest of the loop.
if sys.platform == "linux":
    Poller = select.epoll
    POLL_UNITS_PER_MS = 0.001
else:
    Poller = select.poll
    POLL_UNITS_PER_MS = 1
_EVENTS = {
    pycurl.POLL_IN: select.POLLIN,
    pycurl.POLL_OUT: select.POLLOUT,
    pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT,
}
_READY = {select.POLLIN: pycurl.CSELECT_IN, select.POLLOUT: pycurl.CSELECT_OUT}
# An error or a hang-up: reading and writing tell curl which.
_EITHER = pycurl.CSELECT_IN | pycurl.CSELECT_OUT


class Engine:
    """One CurlMulti. `watched` says which engine watches a socket.

    When to come back is asked once a turn: to be told would be two calls from curl for every transfer.
    """

    def __init__(
        self, poller: "select.epoll", watched: "dict[int, Engine]", *, kept_connections: int
    ) -> None:
        self._poller = poller
        self._watched = watched
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self.multi.setopt(pycurl.M_MAXCONNECTS, kept_connections)

    def act(self, fd: int, events: int) -> None:
        """Do what the socket is ready for."""
        self.multi.socket_action(fd, _READY.get(events, _EITHER))

    def act_on_time(self) -> None:
        """Start what was added and end what has timed out, when it is time."""
        if self.wait_ms() == 0:
            self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def wait_ms(self) -> int:
        """Milliseconds until `act_on_time` has something to do; -1 for never."""
        # Real time, whatever clock was injected: it paces sockets, nothing that is recorded.
        return int(self.multi.timeout())

    def _watch(self, event: int, fd: int, _multi: object, _data: object) -> None:
        """Called by curl when it wants other events of a socket, or none."""
        if event == pycurl.POLL_REMOVE:
            if self._watched.pop(fd, None) is not None:
                self._poller.unregister(fd)
        elif fd in self._watched:
            self._poller.modify(fd, _EVENTS[event])
        else:
            self._watched[fd] = self
            self._poller.register(fd, _EVENTS[event])
