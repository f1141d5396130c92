"""The whole stack under supervisord: one configuration for all programs, generated for this run."""

import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

from rrcli.settings import Settings, keys

PROGRAMS = {
    "api": ("rrcli_api",),
    "prequeuer": ("rrcli_daemons", "prequeuer"),
    "dispatcher": ("rrcli_daemons", "dispatcher"),
    "worker": ("rrcli_daemons", "worker"),
}
"""What runs, and the module that each is."""

STOP_MARGIN_SECONDS = 5


def prepare(settings: Settings, folder: Path) -> Path:
    """Write settings and supervisord configuration into `folder`; the latter's path.

    The settings file holds what was merged from all sources, so that every program sees the same; only the
    owner may read it.
    """
    import yaml

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sections = {
        section: {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        for section, values in asdict(settings).items()
    }
    _write_private(folder / "config.yaml", yaml.safe_dump(sections, sort_keys=False))
    configuration = folder / "supervisord.conf"
    _write_private(configuration, _supervisord(settings, folder))
    return configuration


def command(configuration: Path) -> list[str]:
    """The command line of supervisord, in the foreground."""
    return [
        sys.executable,
        "-m",
        "supervisor.supervisord",
        "--nodaemon",
        "--configuration",
        str(configuration),
    ]


def environment(folder: Path) -> dict[str, str]:
    """This process's environment without settings of its own: the file in `folder` has them all."""
    names = {key.env for key in keys()}
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    return inherited | {"RRCLI_CONFIG": str(folder / "config.yaml"), "PYTHONWARNINGS": "ignore"}


def for_terminal(settings: Settings) -> Settings:
    """Readable logs where a person looks at them."""
    if settings.log.format == "auto" and sys.stdout.isatty():
        return replace(settings, log=replace(settings.log, format="text"))
    return settings


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _supervisord(settings: Settings, folder: Path) -> str:
    """All programs restart when they end, log to our own output, and get the grace period to stop."""
    stop_seconds = settings.worker.grace_seconds + STOP_MARGIN_SECONDS
    sections: list[tuple[str, dict[str, object]]] = [
        (
            "supervisord",
            {
                "nodaemon": "true",
                "logfile": "/dev/null",
                "logfile_maxbytes": 0,
                "loglevel": "warn",
                "pidfile": folder / "supervisord.pid",
            },
        )
    ]
    if os.getuid() == 0:
        sections[0][1]["user"] = "root"  # or it warns that it was not told to stay so
    for name, module in PROGRAMS.items():
        program: dict[str, object] = {
            "command": " ".join([_quoted(sys.executable), "-m", *module]),
            "autorestart": "true",
            "startsecs": 1,
            "startretries": 100,
            "stopsignal": "TERM",
            "stopwaitsecs": stop_seconds,
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": "/dev/fd/1",
            "stdout_logfile_maxbytes": 0,
        }
        sections.append((f"program:{name}", program))
    return "\n".join(
        f"[{title}]\n" + "".join(f"{key}={_escaped(str(value))}\n" for key, value in values.items())
        for title, values in sections
    )


def _quoted(path: str) -> str:
    return f'"{path}"'


def _escaped(value: str) -> str:
    """supervisord expands %(name)s in every value."""
    return value.replace("%", "%%")
