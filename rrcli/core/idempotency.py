"""Requests that carry an Idempotency-Key: made once, however often they come.

What is remembered is a hash of the key, a fingerprint of the request, and the answer. Whoever begins a use
holds it for a short while; one that broke off is taken over, and makes what the first one made, for all its
new ids come from `KeyUse.seed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from typing import Self

from rrcli.core.ids import Seed
from rrcli.core.models import require_utc

KEEP = timedelta(hours=24)
"""How long a key is remembered."""

HOLD = timedelta(seconds=5)
"""How long a request that does not end keeps others of its key out.

One that takes longer may be made by two at once, and does no harm: both make the same ids."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What was answered: `body` is text, `headers` those that belong to the answer itself."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyUse:
    """One use of a key. `attempt` counts the tries; only the newest may write its answer."""

    id: str
    fingerprint: str
    created_at: datetime
    held_until: datetime
    attempt: int = 1
    answer: Answer | None = None

    def __post_init__(self) -> None:
        require_utc(created_at=self.created_at, held_until=self.held_until)

    @property
    def seed(self) -> Seed:
        """What all tries make their ids from."""
        return Seed(self.created_at, self.id)

    def taken_over(self, now: datetime) -> Self:
        """The next try, which holds the key from now on."""
        return replace(self, attempt=self.attempt + 1, held_until=now + HOLD)


class Turn(Enum):
    """What a request may do that finds its key in the store."""

    START_ANEW = "the stored use has expired"
    TAKE_OVER = "the stored use broke off"
    LEAVE = "it has an answer, or is under way, or is of another request"


def first_use(owner: str, key: str, fingerprint: str, now: datetime) -> KeyUse:
    """A use that nobody has begun. `owner` is the id of the API key: keys of others never meet."""
    digest = sha256(f"{owner}\0{key}".encode()).hexdigest()
    return KeyUse(id=digest, fingerprint=fingerprint, created_at=now, held_until=now + HOLD)


def turn(stored: KeyUse, asked: KeyUse, now: datetime) -> Turn:
    """What the request `asked` stands for may do at `now`."""
    if stored.created_at <= now - KEEP:
        return Turn.START_ANEW
    # A use that is held for longer than any can be is from before somebody set the clock back.
    is_held = now < stored.held_until <= now + HOLD
    if stored.answer is None and stored.fingerprint == asked.fingerprint and not is_held:
        return Turn.TAKE_OVER
    return Turn.LEAVE
