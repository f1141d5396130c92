"""Keys of the REST service: made, listed, revoked; and whether it may listen where it is told to."""

import secrets

from rrcli.core import api_keys
from rrcli.core.api_keys import NAME, RANDOM_BYTES, SCOPE, ApiKey, Scope
from rrcli.core.fields import check_mapping
from rrcli.errors import Conflict, FieldError, InvalidInput, NotFound, SchedulerError
from rrcli.listening import is_loopback
from rrcli.operations.context import Context
from rrcli.repository.base import Repository
from rrcli.settings import ApiSettings

_LIST = "List them: rrcli apikey list"


class Unguarded(SchedulerError):
    """The service would answer to other machines, and nobody would need a key."""

    code = "no_api_key"


def create(context: Context, *, name: str, scope: str) -> tuple[ApiKey, str]:
    """A new key: its record, and its text, which cannot be had again. Raises InvalidInput."""
    errors: list[FieldError] = []
    check_mapping({"name": name, "scope": scope}, {"name": NAME, "scope": SCOPE}, errors)
    if errors:
        raise InvalidInput(errors)
    key, text = api_keys.issue(name, Scope(scope.lower()), secrets.token_bytes(RANDOM_BYTES), context.now())
    context.repository.api_keys.add(key)
    return key, text


def find(context: Context) -> list[ApiKey]:
    """All keys, oldest first."""
    return context.repository.api_keys.list()


def revoke(context: Context, reference: str) -> ApiKey:
    """End the key of that id or name; the service notices within seconds.

    Raises NotFound, and Conflict when the name fits several or the key is revoked already.
    """
    key = _resolve(context, reference)
    now = context.now()
    if not context.repository.api_keys.revoke(key.id, now):
        raise Conflict(f"The API key {key.id} ({key.name}) has been revoked already.")
    return context.repository.api_keys.get(key.id) or key


def _resolve(context: Context, reference: str) -> ApiKey:
    key_id = api_keys.id_in(reference)
    by_id = context.repository.api_keys.get(key_id) if key_id else None
    if by_id is not None:
        return by_id
    named = [key for key in find(context) if key.name == reference and key.revoked_at is None]
    if not named:
        # What was typed is not repeated: it may be a key.
        raise NotFound("No API key that is not revoked has that id or name.", hint=_LIST)
    if len(named) > 1:
        several = ", ".join(key.id for key in named)
        raise Conflict(f"{reference!r} fits several API keys: {several}.", hint="Give the id.")
    return named[0]


def may_be_open(api: ApiSettings) -> bool:
    """Whether requests without a key may be answered while there is no key at all."""
    return api.allow_anonymous or is_loopback(api.host)


def require_guard(api: ApiSettings, repository: Repository) -> None:
    """Raises Unguarded when other machines could reach the service without a key; StoreUnavailable."""
    if not may_be_open(api) and not repository.api_keys.exist():
        raise Unguarded(
            f"The API would listen on {api.host}, for other machines too, and there is no API key yet.",
            hint="Make one first: rrcli apikey create --name NAME --scope admin",
        )
