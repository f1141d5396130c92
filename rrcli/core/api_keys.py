"""Keys of the REST service: who may do what. Only a hash of a key is ever stored.

A key reads `rrk_ID_SECRET`: the id, 12 hexadecimal digits, is public and finds the record; the secret is 32
random bytes in base64url. SHA-256 is enough for a secret of 256 random bits: there is nothing to guess that a
slow hash would have to protect, and it is computed at every request.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from rrcli.core.fields import Check, Choice, Text
from rrcli.core.models import require_utc

RANDOM_BYTES = 38
"""What `issue` needs: 6 for the id, 32 for the secret."""

_ID_BYTES = 6
_FORM = re.compile(r"rrk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_REFERENCE = re.compile(r"(?:rrk_)?([0-9a-f]{12})(?:_.*)?", re.DOTALL)


class Scope(StrEnum):
    """What a key allows; each includes those before it. `feed` reads calendars and may stand in their URL."""

    FEED = "feed"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def includes(self, needed: "Scope") -> bool:
        """Whether a key of this scope may do what `needed` asks for."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


NAME: Check = Text(
    100,
    form=r"(?!\s)[^\x00-\x1f\x7f-\x9f\u2028\u2029]+(?<!\s)",
    form_name="a name without control characters",
)
SCOPE: Check = Choice(tuple(Scope))


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """One key as stored. `digest` is the SHA-256 of the secret's text, in hexadecimal.

    `last_used_at` is coarse: it is written once a minute at most. A revoked key stays, so that its use can be
    told from that of one that never was, and so that revoking the last one does not open the service.
    """

    id: str
    name: str
    scope: Scope
    digest: str = field(repr=False)
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(created_at=self.created_at, last_used_at=self.last_used_at, revoked_at=self.revoked_at)

    def admits(self, secret: str) -> bool:
        """Whether `secret` is this key's, and the key is not revoked; compared in constant time."""
        return hmac.compare_digest(self.digest, digest(secret)) and self.revoked_at is None


def issue(name: str, scope: Scope, random: bytes, now: datetime) -> tuple[ApiKey, str]:
    """A new key: its record, and its text, which exists nowhere else.

    `random` is RANDOM_BYTES of `secrets.token_bytes`.
    """
    secret = urlsafe_b64encode(random[_ID_BYTES:]).decode().rstrip("=")
    key = ApiKey(id=random[:_ID_BYTES].hex(), name=name, scope=scope, digest=digest(secret), created_at=now)
    return key, f"rrk_{key.id}_{secret}"


def parse(text: str) -> tuple[str, str] | None:
    """Id and secret of a key's text; None when it has not the form of one."""
    found = _FORM.fullmatch(text)
    return (found[1], found[2]) if found else None


def id_in(reference: str) -> str | None:
    """The id that a person means by `4f0c…`, `rrk_4f0c…` or the whole key; None when there is none in it."""
    found = _REFERENCE.fullmatch(reference)
    return found[1] if found else None


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return sha256(secret.encode()).hexdigest()
