"""The service under gunicorn, in this process: settings, port, start."""

import socket
from collections.abc import Mapping
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from rrcli.errors import SchedulerError
from rrcli.settings import Loaded, Settings
from rrcli_api.wsgi import Service


class PortTaken(SchedulerError):
    """The address to listen on cannot be had."""


def serve(loaded: Loaded) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortTaken before anything is started."""
    api = loaded.settings.api
    _require_port(api.host, api.port)
    _Server(loaded).run()


def options(settings: Settings) -> Mapping[str, Any]:
    """gunicorn's settings; config/gunicorn.conf.py takes them from here too."""
    api = settings.api
    return {
        "bind": [_address(api.host, api.port)],
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


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _require_port(host: str, port: int) -> None:
    """gunicorn would try for five seconds and say it less clearly."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            why = error.strerror or error
            raise PortTaken(
                f"The API cannot listen on {_address(host, port)}: {why}.",
                hint="Stop what listens there, or choose another port: API_PORT=8081.",
            ) from error
