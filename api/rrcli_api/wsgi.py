"""`rrcli_api.wsgi:app`: the service with settings from file and environment, for any WSGI server."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

import falcon

from rrcli import log, settings
from rrcli.clock import Clock, SystemClock
from rrcli.errors import SchedulerError, StoreUnavailable
from rrcli.operations.context import Context
from rrcli.repository.factory import open_repository
from rrcli_api.app import create_app, create_waiting_app
from rrcli_api.pages.paths import needs_store
from rrcli_api.shared import OF_SERVICE

_OPENING_SECONDS = 3.0
_AGAIN_SECONDS = 1.0


class Service:
    """The WSGI callable. It opens its store at the first request, so in the process that serves it.

    A store that cannot be opened makes answers of 503, not a dead process; it is tried again.
    """

    def __init__(self, load: Callable[[], settings.Loaded] = settings.load) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._clock = SystemClock()
        self._app: falcon.App[Any, Any] | None = None
        self._waiting = _waiting_app(self._clock, StoreUnavailable("The store is not open yet."))
        self._failure: SchedulerError | None = None
        self._failed_at = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        app = self._app or (self._opened() if _needs_store(environ["PATH_INFO"]) else self._waiting)
        answer: Iterable[bytes] = app(environ, start_response)
        return answer

    def _opened(self) -> falcon.App[Any, Any]:
        """One thread opens; the others wait for it, and share its failure for a moment."""
        if not self._lock.acquire(timeout=_OPENING_SECONDS):
            return _waiting_app(self._clock, StoreUnavailable("The store is still being opened."))
        try:
            if self._app is None:
                self._app = self._open()
            return self._app
        except SchedulerError as error:
            if error is not self._failure:
                self._failure, self._failed_at = error, self._clock.monotonic()
            return _waiting_app(self._clock, error)
        finally:
            self._lock.release()

    def _open(self) -> falcon.App[Any, Any]:
        if self._failure and self._clock.monotonic() - self._failed_at < _AGAIN_SECONDS:
            raise self._failure
        loaded = self._load()
        log.setup(loaded.settings.log.level, loaded.settings.log.format)
        repository = open_repository(loaded.settings)
        try:
            repository.init()
        except SchedulerError:
            repository.close()
            raise
        context = Context(repository=repository, clock=self._clock, settings=loaded.settings)
        return create_app(context, OF_SERVICE)


def _waiting_app(clock: Clock, error: SchedulerError) -> falcon.App[Any, Any]:
    return create_waiting_app(clock, error, OF_SERVICE)


def _needs_store(path: str) -> bool:
    """Health and documents are answered at once, whatever the store does."""
    return path.startswith(("/api/", "/readyz", "/metrics")) or needs_store(path)


app = Service()
