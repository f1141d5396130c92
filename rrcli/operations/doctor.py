"""What is wrong with this installation, and how to mend it."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from rrcli.errors import SchedulerError
from rrcli.listening import is_loopback
from rrcli.operations.context import Context
from rrcli.operations.status import Status, status
from rrcli.settings import Loaded

SKEW = timedelta(seconds=1)
"""Clocks that differ by more make calls early or late."""

LATE = timedelta(seconds=60)
"""An event that is due for longer is stuck."""


class Verdict(StrEnum):
    """`warning` may become a problem; only `problem` makes the exit code 1."""

    FINE = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One check: what was looked at, how it stands, and the mend where it is not fine."""

    check: str
    verdict: Verdict
    message: str
    mend: str | None = None


def fine(check: str, message: str) -> Finding:
    """A check that found nothing wrong."""
    return Finding(check=check, verdict=Verdict.FINE, message=message)


def warning(check: str, message: str, mend: str) -> Finding:
    """What may become a problem, and how to mend it."""
    return Finding(check=check, verdict=Verdict.WARNING, message=message, mend=mend)


def problem(check: str, message: str, mend: str) -> Finding:
    """What is wrong, and how to mend it."""
    return Finding(check=check, verdict=Verdict.PROBLEM, message=message, mend=mend)


def examine(
    loaded: Loaded, data_dir: Path, open_context: Callable[[], Context], now: datetime
) -> Iterator[Finding]:
    """Every finding, as it is made. What cannot be reached is a finding, not an error."""
    yield from settings(loaded)
    yield from _files(loaded, data_dir)
    yield from _time_zones(now)
    try:
        context = open_context()
        context.repository.ping()
        yield fine("store", f"{context.repository.description} answers")
    except SchedulerError as error:
        yield problem("store", error.message, error.hint or "Start it, or name another: rrcli config show")
        return
    for check in (_servers, _indexes, _clocks, _work, _api):
        try:
            yield from check(context)
        except SchedulerError as error:
            yield problem(check.__name__.strip("_"), error.message, error.hint or "Look into the log.")


def settings(loaded: Loaded) -> Iterator[Finding]:
    """Where the settings come from."""
    own = sum(source != "default" for source in loaded.sources.values())
    where = f"file {loaded.file}" if loaded.file else "no file"
    yield fine("settings", f"{where}; {own} of {len(loaded.sources)} differ from the defaults")


def _files(loaded: Loaded, data_dir: Path) -> Iterator[Finding]:
    if loaded.file is not None:
        yield _private(loaded.file, "config file", has_secrets=_has_secrets(loaded))
    if loaded.settings.mongo.uri is None and data_dir.exists():
        yield _private(data_dir, "data folder", has_secrets=True)
        if not os.access(data_dir, os.W_OK):
            is_read_only = os.statvfs(data_dir).f_flag & os.ST_RDONLY
            mend = (
                "mount its file system to be written" if is_read_only else f"chown it to user {os.getuid()}"
            )
            yield problem("data folder", f"{data_dir} cannot be written", mend)


def _has_secrets(loaded: Loaded) -> bool:
    settings, file = loaded.settings, str(loaded.file)
    return (
        bool(settings.security.encryption_key and loaded.sources["security.encryption_key"] == file)
        or bool(settings.client.api_key and loaded.sources["client.api_key"] == file)
        or ("@" in (settings.mongo.uri or "") and loaded.sources["mongo.uri"] == file)
        or ("@" in (settings.redis.url or "") and loaded.sources["redis.url"] == file)
    )


def _private(path: Path, what: str, *, has_secrets: bool) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if has_secrets and mode & 0o077:
        mend = f"chmod {'700' if path.is_dir() else '600'} {path}"
        return warning(what, f"{path} is open to others (mode {mode:o}), and holds secrets", mend)
    return fine(what, f"{path}, mode {mode:o}")


def _servers(context: Context) -> Iterator[Finding]:
    for server in context.repository.inspection.servers():
        if server.supported:
            yield fine("versions", f"{server.name} {server.version}")
        else:
            yield problem(
                "versions",
                f"{server.name} {server.version} is older than {server.least}",
                f"Update {server.name} to {server.least} or later",
            )


def _indexes(context: Context) -> Iterator[Finding]:
    missing = context.repository.inspection.missing_indexes()
    if missing:
        mend = "rrcli db init; if they stay away, restore a backup"
        yield problem("indexes", f"missing: {', '.join(missing)}", mend)
    else:
        yield fine("indexes", "all there")


def _clocks(context: Context) -> Iterator[Finding]:
    for server in context.repository.inspection.servers():
        if server.time is None:
            continue
        skew = abs(server.time - context.now())
        seconds = f"{skew.total_seconds():.1f} s"
        if skew > SKEW:
            yield problem(
                "clock",
                f"this machine and {server.name} differ by {seconds}",
                "Let both follow NTP: timedatectl",
            )
        else:
            yield fine("clock", f"within {seconds} of {server.name}")


def _time_zones(now: datetime) -> Iterator[Finding]:
    """Of which release the time-zone data is, and whether this machine's and the package's say the same."""
    from rrcli.operations.time_zones import differing, is_old, release

    found, different = release(), differing(now)
    if different:
        some = ", ".join(different[:3]) + (" …" if len(different) > 3 else "")
        yield warning(
            "time zones",
            f"this machine's ({found}) and the package tzdata's differ in {len(different)} zones: {some}",
            "Update both: pip install -U tzdata, and the system's package tzdata",
        )
    elif is_old(found, now):
        yield warning("time zones", f"release {found} is old", "Update the system's package tzdata")
    else:
        yield fine("time zones", f"release {found}")


def _work(context: Context) -> Iterator[Finding]:
    yield from work(status(context))


def work(found: Status) -> Iterator[Finding]:
    """Who does the work, and whether it gets done."""
    if found.absent:
        names = ", ".join(found.absent)
        yield problem("daemons", f"not running: {names}", f"rrcli up, or rrcli daemon {found.absent[0]}")
    else:
        yield fine("daemons", "prequeuer, dispatcher and worker are alive")
    yield _stuck(found)


def _stuck(found: Status) -> Finding:
    depths = found.depths
    if depths.in_flight and "worker" in found.absent:
        return problem(
            "events",
            f"{depths.in_flight:,} are held by workers that are gone",
            "Start a worker: their leases run out, and it takes them over",
        )
    if depths.oldest_due is not None and (age := found.now - depths.oldest_due) > LATE:
        return problem(
            "events",
            f"the oldest one that waits has been due for {int(age.total_seconds()):,} s",
            "See who does not run, or start more workers: rrcli status",
        )
    return fine("events", f"{depths.ready + depths.worker:,} wait, none is stuck")


def _api(context: Context) -> Iterator[Finding]:
    api, has_keys = context.settings.api, context.repository.api_keys.exist()
    if has_keys:
        yield fine("API keys", "every request needs one")
    elif is_loopback(api.host):
        yield fine("API keys", f"none; {api.host} is this machine only")
    else:
        open_ = " and answers everybody" if api.allow_anonymous else ""
        yield problem(
            "API keys",
            f"none, while the API listens on {api.host}{open_}",
            "rrcli apikey create --name NAME --scope admin",
        )


def finding_view(finding: Finding) -> dict[str, object]:
    """A finding as JSON."""
    return {
        "check": finding.check,
        "verdict": finding.verdict,
        "message": finding.message,
        "mend": finding.mend,
    }
