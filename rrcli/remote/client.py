"""Requests to a REST service: its key, time limits, second tries where they are safe, its errors as ours."""

from collections.abc import Callable, Mapping
from itertools import count
from threading import Event
from typing import Any, NoReturn
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from rrcli import __version__
from rrcli.errors import (
    ABSENT,
    Conflict,
    FieldError,
    InvalidInput,
    MalformedRequest,
    NotFound,
    SchedulerError,
    StoreUnavailable,
)
from rrcli.listening import is_loopback
from rrcli.log import redact
from rrcli.settings import ClientSettings

Json = dict[str, Any]

TRIES = 3
"""Of a request that can be sent again: one that changes nothing, or that has an Idempotency-Key."""

TRIES_WHILE_UNDER_WAY = 8
"""So often it is asked for the answer of a try whose connection was lost while the service was at it."""

_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
_PASSING = frozenset({429, 502, 504})
_SETTINGS_HINT = "Which server is meant, and from where: rrcli config show"


class Refused(SchedulerError):
    """The service does not let this key, or nobody without one, do this."""

    code = "forbidden"


class Client:
    """One service. `wait` is given to tests that have no time to lose."""

    def __init__(
        self,
        server: str,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.server = redact(server.rstrip("/"))
        self._wait = wait or Event().wait
        self._invocation, self._numbers = uuid4(), count(1)
        headers = {"User-Agent": f"rrcli/{__version__}"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._http = httpx.Client(
            base_url=server.rstrip("/"),
            headers=headers,
            timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, 10.0)),
            transport=transport,
        )

    def get(self, path: str, **query: object) -> Json:
        """What is there. Raises NotFound, and whatever else the service answers."""
        given = {name: _text(value) for name, value in query.items() if value is not None}
        return self._object(self._request("GET", path, again=True, params=given))

    def send(
        self, method: str, path: str, data: Mapping[str, object] | None = None, *, revision: int | None = None
    ) -> Json:
        """A change; `revision` is the one it expects."""
        answer = self._change(method, path, data, {} if revision is None else {"If-Match": f'"{revision}"'})
        if answer.status_code == httpx.codes.PRECONDITION_FAILED and "ETag" in answer.headers:
            stored = answer.headers["ETag"].strip('"')
            raise Conflict(f"Schedule {path.split('/')[3]} is at revision {stored}, not {revision}.")
        return self._object(answer)

    def make(self, path: str, data: Mapping[str, object]) -> tuple[Json, bool]:
        """As `send` a POST; and whether it made something new."""
        answer = self._change("POST", path, data, {})
        return self._object(answer), answer.status_code == httpx.codes.CREATED

    def put_text(self, path: str, text: str, media_type: str) -> Json:
        """Store a text; what the service says."""
        headers = {"Content-Type": media_type}
        return self._object(self._request("PUT", path, again=True, content=text.encode(), headers=headers))

    def look(self, path: str) -> httpx.Response:
        """What GET answers to a single try, whatever it is. Raises StoreUnavailable."""
        return self._request("GET", path, again=False)

    def _change(
        self, method: str, path: str, data: Mapping[str, object] | None, headers: dict[str, str]
    ) -> httpx.Response:
        """A POST goes under a key of its own, by which the service makes it once however often it is sent."""
        is_keyed = method == "POST"
        if is_keyed:
            headers["Idempotency-Key"] = f"{self._invocation}-{next(self._numbers)}"
        return self._request(method, path, again=is_keyed, json=data, headers=headers)

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _request(self, method: str, path: str, *, again: bool, **options: Any) -> httpx.Response:
        """The answer. What passes by itself is tried again: always when nothing was sent, else if `again`."""
        failures = held = 0
        is_unknown = False
        while True:
            after = None
            try:
                answer = self._http.request(method, path, **options)
            except httpx.InvalidURL as error:
                raise MalformedRequest(f"{self.server} is not the address of a service.") from error
            except httpx.HTTPError as error:
                was_sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                is_unknown |= was_sent and method != "GET"
                failures += 1
                if failures == TRIES or (was_sent and not again):
                    raise self._away(error, is_unknown) from error
            else:
                is_held = answer.status_code == httpx.codes.CONFLICT and "Retry-After" in answer.headers
                if is_held and held < TRIES_WHILE_UNDER_WAY:
                    held += 1
                elif again and answer.status_code in _PASSING and failures < TRIES - 1:
                    failures += 1
                else:
                    return answer
                after = _retry_after(answer)
            self._wait(_FIRST_WAIT_SECONDS * 3 ** (failures - 1) if after is None else after)

    def _away(self, error: httpx.HTTPError, is_unknown: bool) -> StoreUnavailable:
        is_slow = isinstance(error, httpx.TimeoutException)
        why = "did not answer in time" if is_slow else f"cannot be reached: {_reason(error)}"
        done = " Whether it was done is not known: look before you do it again." if is_unknown else ""
        return StoreUnavailable(f"{self.server} {why}.{done}", hint=_SETTINGS_HINT)

    def _object(self, answer: httpx.Response) -> Json:
        try:
            data = answer.json()
        except ValueError:
            data = None
        if not answer.is_success:
            self._raise(answer, data)
        if not isinstance(data, dict):
            raise SchedulerError(
                f"{self.server} answered {answer.status_code} with something that is not this service's.",
                hint="Is the address that of an rrule-scheduler? Without /api at its end.",
            )
        return data

    def _raise(self, answer: httpx.Response, data: Any) -> NoReturn:
        """The service's error as the exception that the operation itself would have raised."""
        told = data.get("error") if isinstance(data, dict) else None
        if not isinstance(told, dict):
            told = {"message": f"{self.server} answered {answer.status_code}."}
        code, message = str(told.get("code", "")), str(told.get("message", ""))
        if answer.status_code == 429:
            raise Refused(message or "Too many requests.", hint="Try again in a moment.")
        if code in ("unauthorized", "forbidden"):
            raise Refused(message, hint="Give a key that may: --api-key, or environment RRCLI_API_KEY.")
        if code == "validation_failed" and told.get("details"):
            refused = [_field(each) for each in told["details"]]
            unknown = any(each.field.startswith("exclude_calendars") for each in refused)
            raise InvalidInput(refused, hint="List calendars: rrcli calendar list" if unknown else None)
        if code == "database_error" or answer.status_code in (502, 503, 504):
            raise StoreUnavailable(message, hint=_SETTINGS_HINT)
        kind = {"not_found": NotFound, "conflict": Conflict, "invalid_request": MalformedRequest}
        raise kind.get(code, SchedulerError)(message)


def _reason(error: httpx.HTTPError) -> str:
    """Why, without the full stop and what is secret in it."""
    return redact(str(error) or type(error).__name__).rstrip(".")


def _retry_after(answer: httpx.Response) -> float | None:
    """How many seconds the service wants to be left alone; not more than a person waits."""
    said = answer.headers.get("Retry-After", "")
    return min(float(said), _LONGEST_WAIT_SECONDS) if said.isdigit() else None


def _field(told: Mapping[str, Any]) -> FieldError:
    return FieldError(
        field=str(told.get("field", "")),
        value=told.get("value", ABSENT),
        allowed=str(told.get("allowed", "was refused")),
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def connect(settings: ClientSettings) -> Client:
    """The client of the service that the settings name; nothing is asked of it yet."""
    assert settings.server is not None
    return Client(settings.server, settings.api_key, timeout_seconds=settings.timeout_seconds)


def sends_key_in_clear(settings: ClientSettings) -> bool:
    """Whether whoever is between here and the server could read the key."""
    parts = urlsplit(settings.server or "")
    return bool(settings.api_key) and parts.scheme == "http" and not is_loopback(parts.hostname or "")
