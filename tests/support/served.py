"""The REST service on a port of its own, in a thread of this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

from rrcli.operations.context import Context
from rrcli_api.app import create_app


class Quiet(WSGIRequestHandler):
    """Without its log."""

    def log_message(self, *_: object) -> None: ...


@contextmanager
def served(store: Context) -> Iterator[int]:
    """The port that it listens on."""
    with make_server("127.0.0.1", 0, create_app(store), handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
