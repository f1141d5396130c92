"""The service under gunicorn, in this process: settings, port, start."""

import logging
from collections.abc import Mapping
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from rrcli.errors import StoreUnavailable
from rrcli.listening import address, require_port
from rrcli.operations.api_keys import may_be_open, require_guard
from rrcli.repository.factory import open_repository
from rrcli.settings import Loaded, Settings
from rrcli_api.wsgi import Service

log = logging.getLogger(__name__)


def serve(loaded: Loaded) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortTaken and Unguarded before anything is started."""
    api = loaded.settings.api
    require_port(api.host, api.port)
    require_guarded(loaded.settings)
    _Server(loaded).run()


def require_guarded(settings: Settings) -> None:
    """Raises Unguarded when other machines could reach the service and there is no key.

    While the store is away nobody can tell; then every request is refused until there is a key.
    """
    if may_be_open(settings.api):
        return
    try:
        with open_repository(settings) as repository:
            require_guard(settings.api, repository)
    except StoreUnavailable as error:
        log.warning("Whether there is an API key cannot be told yet: %s", error.message)


def options(settings: Settings) -> Mapping[str, Any]:
    """gunicorn's settings; config/gunicorn.conf.py takes them from here too."""
    api = settings.api
    return {
        "bind": [address(api.host, api.port)],
        "workers": api.workers,
        "threads": api.threads,
        "worker_class": "rrcli_api.gunicorn_worker.Worker",
        "worker_connections": 1000,
        "keepalive": 15,
        "timeout": 30,
        "graceful_timeout": 15,
        "limit_request_line": 8190,
        "limit_request_fields": 100,
        "limit_request_field_size": 8190,
        "logger_class": "rrcli_api.gunicorn_log.Log",
        "loglevel": settings.log.level.replace("warn", "warning"),
        "accesslog": None,
        "proc_name": "rrcli-api",
        # It would make a socket in the home folder that nobody here asks for.
        "control_socket_disable": True,
    }


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        super().__init__()

    def load_config(self) -> None:
        for name, value in options(self._loaded.settings).items():
            if name in self.cfg.settings:  # older releases know fewer
                self.cfg.set(name, value)

    def load(self) -> Service:
        return Service(lambda: self._loaded)
