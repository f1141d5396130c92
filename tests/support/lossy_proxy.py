"""A TCP proxy that can lose a server's reply after the command had its effect, delay, drop and reset."""

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_RESET = struct.pack("ii", 1, 0)


class LossyProxy:
    """Passes bytes both ways; after `lose_next_reply` the next reply is dropped and its connection closed."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lose = threading.Event()
        self._cut = threading.Event()
        self._loss = 0.0
        self._delay_seconds = 0.0
        self._random = random.Random(4)
        self._open: list[socket.socket] = []
        self._reset: list[socket.socket] = []
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def lose_next_reply(self) -> None:
        """The next bytes from the server never arrive."""
        self._lose.set()

    def lose_replies(self, share: float) -> None:
        """From now on this share of the replies never arrives, and their connections close; 0 ends it."""
        self._loss = share

    def delay(self, seconds: float) -> None:
        """From now on every chunk of bytes comes so much later; 0 ends it."""
        self._delay_seconds = seconds

    def reset_all(self) -> None:
        """Reset every connection; new ones are accepted."""
        connections, self._open = self._open, []
        for each in connections:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                each.shutdown(socket.SHUT_RDWR)
        self._reset += connections

    def drop(self) -> None:
        """Swallow everything without closing anything, as a cut cable does, until `mend`."""
        self._cut.set()

    def mend(self) -> None:
        """End of `drop`; the connections that lost bytes are reset."""
        self._cut.clear()
        self.reset_all()

    def close(self) -> None:
        """Cut all connections and stop listening."""
        for each in (self._listener, *self._open, *self._reset):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            self._open += [client, server]
            for way in ((client, server, False), (server, client, True)):
                thread = threading.Thread(target=self._pump, args=way, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_reply: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self._delay_seconds:
                    time.sleep(self._delay_seconds)
                if self._cut.is_set():
                    continue
                if is_reply and self._loses():
                    break
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _loses(self) -> bool:
        if self._lose.is_set():
            self._lose.clear()
            return True
        return self._loss > 0 and self._random.random() < self._loss


@contextmanager
def lossy_proxy(host: str, port: int) -> Iterator[LossyProxy]:
    """A proxy in front of a server."""
    proxy = LossyProxy((host, port))
    try:
        yield proxy
    finally:
        proxy.close()
