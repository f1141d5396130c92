"""What is wrong between this machine and a service elsewhere, and with that service."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from rrcli import __version__
from rrcli.clock import Clock
from rrcli.errors import SchedulerError
from rrcli.operations import doctor
from rrcli.operations.doctor import Finding, fine, problem, warning
from rrcli.operations.summary import summary_of
from rrcli.remote.client import Client, sends_key_in_clear
from rrcli.settings import ClientSettings, Loaded

SKEW = timedelta(seconds=2)
"""The header Date has whole seconds."""

_CERTIFICATE = "CERTIFICATE"


def examine(loaded: Loaded, client: Client, clock: Clock) -> Iterator[Finding]:
    """Every finding, as it is made. A service that cannot be reached is a finding, not an error."""
    yield from doctor.settings(loaded)
    settings = loaded.settings.client
    yield from _connection(client, settings)
    try:
        asked = clock.now()
        answer = client.look("/healthz")
        answered = clock.now()
    except SchedulerError as error:
        yield _unreachable(error)
        return
    if not answer.is_success:
        mend = "Is the address that of an rrule-scheduler? Without /api at its end: rrcli config show"
        yield problem("server", f"{client.server} answers {answer.status_code}", mend)
        return
    took_ms = (answered - asked).total_seconds() * 1000
    yield fine("server", f"{client.server} answers in {took_ms:.0f} ms")
    yield from _clock(answer, asked, answered)
    yield from _inside(client, settings)


def _connection(client: Client, settings: ClientSettings) -> Iterator[Finding]:
    if urlsplit(settings.server or "").scheme == "https":
        yield fine("connection", "encrypted; certificates are checked")
    elif sends_key_in_clear(settings):
        yield problem("connection", f"the API key goes to {client.server} in the clear", "Use https")
    else:
        yield fine("connection", "not encrypted, and no key goes to another machine")


def _unreachable(error: SchedulerError) -> Finding:
    if _CERTIFICATE in error.message:
        mend = "Name the server as its certificate does; a CA of your own: environment SSL_CERT_FILE"
        return problem("server", error.message, mend)
    return problem("server", error.message, "Is it running, and the address right? rrcli config show")


def _clock(answer: httpx.Response, asked: datetime, answered: datetime) -> Iterator[Finding]:
    """The two clocks, as far as the header Date tells: not at all where a server sends none."""
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return
    ahead, behind = theirs - answered, asked - theirs
    skew = max(ahead, behind, timedelta())
    if skew > SKEW:
        side = "ahead of" if ahead > behind else "behind"
        told = f"the server's is {skew.total_seconds():.0f} s {side} this machine's"
        yield problem("clock", told, "Let both follow NTP: timedatectl")
    else:
        yield fine("clock", f"within {SKEW.total_seconds():g} s of the server")


def _inside(client: Client, settings: ClientSettings) -> Iterator[Finding]:
    """What takes a key to ask: the release, what the key allows, the daemons, what is stuck."""
    answer = client.look("/api/status")
    if answer.status_code in (401, 403):
        yield _refused(answer, settings)
        return
    if not answer.is_success:
        told = _message(answer) or f"it answers {answer.status_code}"
        yield problem("store", told, "On the server: rrcli doctor")
        return
    view = answer.json()
    yield fine("store", f"{view['store']} answers")
    yield _version(view.get("version"))
    yield _scope(view.get("scope"), settings)
    yield from doctor.work(summary_of(view).status)


def _refused(answer: httpx.Response, settings: ClientSettings) -> Finding:
    told = _message(answer) or f"the server answers {answer.status_code}"
    if settings.api_key:
        return problem("API key", told, "Give one of scope read or more: environment RRCLI_API_KEY")
    return problem("API key", told, "Give one: environment RRCLI_API_KEY, or --api-key")


def _message(answer: httpx.Response) -> str | None:
    try:
        told: Mapping[str, Any] = answer.json()["error"]
        return str(told["message"])
    except (ValueError, KeyError, TypeError):
        return None


def _version(theirs: str | None) -> Finding:
    if theirs == __version__:
        return fine("versions", f"both are {theirs}")
    told = f"the server is {theirs or 'older'}, this command {__version__}"
    return warning("versions", told, "Install the same release on both sides")


def _scope(scope: str | None, settings: ClientSettings) -> Finding:
    if scope is not None:
        return fine("API key", f"scope {scope}")
    if settings.api_key:
        return warning("API key", "the server asks for none; yours is not looked at", "Leave it out")
    return fine("API key", "none is needed")
