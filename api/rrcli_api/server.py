"""The service under gunicorn, in this process: settings, port, start."""

from collections.abc import Mapping
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from rrcli.listening import address, require_port
from rrcli.settings import Loaded, Settings
from rrcli_api.wsgi import Service


def serve(loaded: Loaded) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortTaken before anything is started."""
    api = loaded.settings.api
    require_port(api.host, api.port)
    _Server(loaded).run()


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
