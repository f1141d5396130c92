"""Encrypting what is stored anew, with the newest key."""

from dataclasses import dataclass

from rrcli.core.sealed import sealed_fields
from rrcli.errors import SchedulerError
from rrcli.operations.context import Context
from rrcli.repository.sealing import SealedSchedules

_PAGE = 200
_PASSES = 10


class NoKey(SchedulerError):
    """Nothing can be encrypted without a key."""

    code = "no_encryption_key"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rekeyed:
    """How many schedules were written anew, and the ids of those that no key opens."""

    changed: int
    unreadable: tuple[str, ...]


def rekey(context: Context) -> Rekeyed:
    """Encrypt every stored secret with the first key of `security.encryption_key`; safe to repeat.

    Also those that were stored before there was a key. Raises NoKey. Schedules may be changed meanwhile:
    passes are made until one finds nothing to do.
    """
    schedules = context.repository.schedules
    if not isinstance(schedules, SealedSchedules):
        raise NoKey(
            "There is no key to encrypt with: security.encryption_key is not set.",
            hint="Make one with `openssl rand -base64 32` and set SECURITY_ENCRYPTION_KEY.",
        )
    changed = 0
    for _ in range(_PASSES):
        found = _one_pass(schedules)
        changed += found
        if not found:
            break
    return Rekeyed(changed=changed, unreadable=tuple(_unreadable(context)))


def _one_pass(schedules: SealedSchedules) -> int:
    changed = offset = 0
    while True:
        stale, read = schedules.stale(limit=_PAGE, offset=offset)
        for each in stale:
            # Under the same revision: its content is the same. Whoever changed it since has encrypted it.
            changed += schedules.replace(each, expected_revision=each.revision)
        if read < _PAGE:
            return changed
        offset += read


def _unreadable(context: Context) -> list[str]:
    found: list[str] = []
    offset = 0
    while items := context.repository.schedules.find(limit=_PAGE, offset=offset).items:
        found += [each.id for each in items if sealed_fields(each)]
        offset += len(items)
    return found
