"""Identifiers: 24 hexadecimal digits, the shape of a MongoDB ObjectId.

The first four bytes are the seconds of the instant, so ids made in time order land side by side in an
index; the other eight are a hash (occurrences) or random (everything else).
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from rrcli.clock import to_ms

_FORM = re.compile(r"[0-9a-f]{24}")


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id."""
    return _FORM.fullmatch(text) is not None


def occurrence_id(schedule_id: str, run_time: datetime, kind: str = "scheduled", nonce: str = "") -> str:
    """The id of one occurrence: the same schedule, instant and kind always give the same id.

    `nonce` sets apart what may exist several times at one instant (manual runs, forced replays).
    Uniqueness of (schedule, instant) rests on this id, not on locks.
    """
    milliseconds = to_ms(run_time)
    key = f"{schedule_id}|{milliseconds}|{kind}|{nonce}".encode()
    return f"{milliseconds // 1000 & 0xFFFFFFFF:08x}{blake2b(key, digest_size=8).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Seed:
    """What the new ids of one request are made from: the same seed gives the same ids.

    `text` is random, or stands for an idempotency key: then a repeated request finds what the first one made.
    """

    at: datetime
    text: str

    @classmethod
    def random(cls, now: datetime) -> "Seed":
        """For ids that no other request makes."""
        return cls(now, secrets.token_hex(16))

    def id(self, number: int = 0) -> str:
        """The id of the request's schedule of that number."""
        return random_id(self.at, blake2b(f"{self.text}|{number}".encode(), digest_size=8).digest())


def random_id(now: datetime, random: bytes) -> str:
    """An id for a new schedule; `random` is eight bytes of `secrets.token_bytes`."""
    return f"{to_ms(now) // 1000 & 0xFFFFFFFF:08x}{random[:8].hex()}"
