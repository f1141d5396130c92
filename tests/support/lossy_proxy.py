"""A TCP proxy that can lose a server's reply after the command had its effect."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class LossyProxy:
    """Passes bytes both ways; after `lose_next_reply` the next reply is dropped and its connection closed."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lose = threading.Event()
        self._open: list[socket.socket] = []
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def lose_next_reply(self) -> None:
        """The next bytes from the server never arrive."""
        self._lose.set()

    def close(self) -> None:
        """Cut all connections and stop listening."""
        for each in (self._listener, *self._open):
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
            server = socket.create_connection(self._target)
            self._open += [client, server]
            for way in ((client, server, False), (server, client, True)):
                thread = threading.Thread(target=self._pump, args=way, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_reply: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_reply and self._lose.is_set():
                    self._lose.clear()
                    break
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def lossy_proxy(host: str, port: int) -> Iterator[LossyProxy]:
    """A proxy in front of a server."""
    proxy = LossyProxy((host, port))
    try:
        yield proxy
    finally:
        proxy.close()
