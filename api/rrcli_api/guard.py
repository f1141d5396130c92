"""Who may do what: bearer keys (RFC 6750), once there is one."""

import logging
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import falcon

from rrcli.core import api_keys
from rrcli.core.api_keys import ApiKey, Scope
from rrcli.errors import StoreUnavailable
from rrcli.operations.api_keys import may_be_open
from rrcli.operations.context import Context
from rrcli_api import feeds
from rrcli_api.errors import ApiError
from rrcli_api.pages import paths, session

log = logging.getLogger(__name__)

CACHE_SECONDS = 5.0
"""How long the store's answer about a key counts: a revoked one works for this much longer at most."""

LAST_USE_EVERY = timedelta(minutes=1)
_REMEMBERED = 1000
_OPEN = frozenset({"/healthz", "/readyz", "/docs/openapi.yml", "/swagger-ui"})
_OPEN_FOLDER = "/swagger-ui/"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_CREATE = "Make one on the server: rrcli apikey create --name NAME --scope admin."


class Keys:
    """What the store says of keys, remembered for a few seconds, so that a request costs no round trip."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, tuple[float, ApiKey | None]] = {}
        self._exist: tuple[float, bool] | None = None

    def get(self, key_id: str) -> ApiKey | None:
        """Raises StoreUnavailable: who may not be known is not refused."""
        now = self._context.clock.monotonic()
        until, key = self._known.get(key_id, (now, None))
        if until <= now:
            key = self._context.repository.api_keys.get(key_id)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key_id] = (now + CACHE_SECONDS, key)
        return key

    def exist(self) -> bool:
        """Whether any key was ever made. Raises StoreUnavailable."""
        now = self._context.clock.monotonic()
        if self._exist is None or self._exist[0] <= now:
            self._exist = (now + CACHE_SECONDS, self._context.repository.api_keys.exist())
        return self._exist[1]

    def note_use(self, key: ApiKey, now: datetime) -> None:
        """Write down that the key was used, once a minute; a store that is away is the request's concern."""
        if key.last_used_at is not None and now - key.last_used_at < LAST_USE_EVERY:
            return
        try:
            self._context.repository.api_keys.used(key.id, now)
        except StoreUnavailable as error:
            log.debug("The use of an API key was not noted: %s", error.message)
        else:
            self._known.pop(key.id, None)


class Guard:
    """Asks for a key where one is needed, and for its scope; puts the key into `req.context.api_key`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._keys = Keys(context)
        self._open: bool | None = None

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """401 before anything is told, even whether the path exists."""
        req.context.api_key = None
        session.require_own_page(req)
        if not req.path.startswith("/api/") and _is_open(req.path):
            return
        try:
            req.context.api_key = self._authorized(req)
        except ApiError:
            if paths.is_page(req.path) and self._keys.exist():
                raise session.ask_for_key(req) from None
            raise

    def find(self, text: str) -> ApiKey | None:
        """The key that `text` is, if it is not revoked. Raises StoreUnavailable."""
        parsed = api_keys.parse(text)
        key = self._keys.get(parsed[0]) if parsed else None
        return key if parsed and key and key.admits(parsed[1]) else None

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: dict[str, Any]
    ) -> None:
        """403 when the key's scope is too small for the method."""
        if req.context.api_key is None:
            return
        reads = req.method in _READING or getattr(resource, "only_reads", False)
        reading = Scope.FEED if getattr(resource, "is_feed", False) else Scope.READ
        require_scope(req, reading if reads else Scope.WRITE)

    def _authorized(self, req: falcon.Request) -> ApiKey | None:
        """The key that came with the request; None where none is needed."""
        given = session.credentials(req)
        if given is not None:
            return self._authenticated(req, given)
        if (token := feeds.token_of(req)) is not None:
            return self._feed_key(req, token)
        if self._keys.exist():
            raise _unauthorized("This needs an API key: Authorization: Bearer rrk_…")
        self._require_open(req)
        return None

    def _feed_key(self, req: falcon.Request, token: str) -> ApiKey | None:
        """A key that came in the query. Queries end up in logs and histories: it may open nothing else."""
        key = self._authenticated(req, f"Bearer {token}")
        if key is not None and key.scope is not Scope.FEED:
            raise _unauthorized("Only a key of scope feed may stand in a URL.", error="invalid_token")
        return key

    def _require_open(self, req: falcon.Request) -> None:
        """401 where nothing is open although there is no key at all."""
        api = self._context.settings.api
        if self._open is None:
            self._open = may_be_open(api)
        if not self._open:
            raise _unauthorized(f"There is no API key yet, and this service is not for everybody. {_CREATE}")
        if not _is_near(req.host) and req.host != api.host:
            raise _unauthorized(
                "Without an API key, this service answers only to addresses and to names without a dot: "
                f"a web page elsewhere could make any other name lead here. {_CREATE}"
            )

    def _authenticated(self, req: falcon.Request, header: str) -> ApiKey | None:
        """The key that the header names; None when it names none and none is needed."""
        scheme, _, text = header.partition(" ")
        parsed = api_keys.parse(text.strip()) if scheme.lower() == "bearer" else None
        if parsed is None and not self._keys.exist():
            self._require_open(req)
            return None  # a proxy's own credentials, and no key to compare them with
        key = self._keys.get(parsed[0]) if parsed else None
        if parsed is None or key is None or not key.admits(parsed[1]):
            raise _unauthorized("This API key is unknown or revoked.", error="invalid_token")
        self._keys.note_use(key, self._context.now())
        return key


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith(_OPEN_FOLDER) or paths.is_open(path)


@lru_cache(maxsize=100)
def _is_near(host: str) -> bool:
    """Whether no name server elsewhere can have made `host` lead here ("DNS rebinding")."""
    if "." not in host or host.endswith(".localhost"):
        return True
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def require_scope(req: falcon.Request, needed: Scope) -> None:
    """Raises ApiError 403 when the request came with a key that does not allow it."""
    key: ApiKey | None = req.context.api_key
    if key is not None and not key.scope.includes(needed):
        raise ApiError(
            403,
            "forbidden",
            f"This needs a key of scope {needed}; this one's is {key.scope}.",
            WWW_Authenticate=_challenge(error="insufficient_scope", scope=needed),
        )


def may_reveal(req: falcon.Request, wanted: bool) -> bool:
    """`wanted`, once it is sure that an admin's key came with the request.

    Without one nothing is revealed, though everything else be open: a web page that tricks a browser into
    asking a service on its own machine must not read credentials.
    """
    if wanted:
        if req.context.api_key is None:
            raise _unauthorized(f"To reveal values takes a key of scope {Scope.ADMIN}. {_CREATE}")
        require_scope(req, Scope.ADMIN)
    return wanted


def _unauthorized(message: str, **more: str) -> ApiError:
    return ApiError(401, "unauthorized", message, WWW_Authenticate=_challenge(**more))


def _challenge(**more: str) -> str:
    """The header that says what is missing (RFC 6750, 3)."""
    said = {"realm": "rrule-scheduler", **more}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in said.items())
