"""Encryption at rest, the same over every backend: what may be secret in a schedule is stored encrypted.

Fernet (AES-128-CBC with HMAC-SHA256) of the `cryptography` package; MultiFernet for several keys.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from rrcli.core.models import Schedule, ScheduleState, Timetable
from rrcli.core.sealed import PREFIX, is_sealed, with_secrets
from rrcli.repository.base import Advance, Page, Schedules


class Cipher:
    """`keys` as `security.encryption_key` has them: the first encrypts, all decrypt."""

    def __init__(self, keys: Sequence[str]) -> None:
        opened = [Fernet(key) for key in keys]
        self._newest = opened[0]
        self._all = MultiFernet(opened)

    def seal(self, text: str) -> str:
        """The value encrypted; one that is already, because no key opened it, stays as it is."""
        return text if is_sealed(text) else PREFIX + self._newest.encrypt(text.encode()).decode()

    def open(self, text: str) -> str:
        """The value in clear; one that was never encrypted, or that no key opens, as it is."""
        try:
            return self._all.decrypt(text.removeprefix(PREFIX)).decode() if is_sealed(text) else text
        except InvalidToken:
            return text

    def is_current(self, text: str) -> bool:
        """Whether the value is encrypted with the first key."""
        if not is_sealed(text):
            return False
        try:
            self._newest.decrypt(text.removeprefix(PREFIX))
        except InvalidToken:
            return False
        return True


class SealedSchedules:
    """Schedules over those of a backend; the contract is `base.Schedules`.

    A value that no key opens stays encrypted in what is returned (`core.sealed.sealed_fields` tells) and in
    what is written back: one such schedule hinders no other.
    """

    def __init__(self, inner: Schedules, cipher: Cipher) -> None:
        self._inner = inner
        self._cipher = cipher

    def add(self, schedules: Sequence[Schedule]) -> None:
        self._inner.add([self._seal(each) for each in schedules])

    def get(self, ids: Collection[str]) -> dict[str, Schedule]:
        return {id: self._open(each) for id, each in self._inner.get(ids).items()}

    def known(self, ids: Collection[str]) -> set[str]:
        return self._inner.known(ids)

    def resolve(self, reference: str, limit: int = 3) -> list[Schedule]:
        return [self._open(each) for each in self._inner.resolve(reference, limit)]

    def find(
        self,
        *,
        state: ScheduleState | None = None,
        name: str | None = None,
        tag: str | None = None,
        limit: int,
        offset: int = 0,
    ) -> Page[Schedule]:
        page = self._inner.find(state=state, name=name, tag=tag, limit=limit, offset=offset)
        return Page(items=tuple(self._open(each) for each in page.items), total=page.total)

    def following(
        self,
        after_id: str | None,
        *,
        state: ScheduleState | None = None,
        name: str | None = None,
        tag: str | None = None,
        limit: int,
    ) -> list[Schedule]:
        found = self._inner.following(after_id, state=state, name=name, tag=tag, limit=limit)
        return [self._open(each) for each in found]

    def replace(self, schedule: Schedule, *, expected_revision: int) -> bool:
        return self._inner.replace(self._seal(schedule), expected_revision=expected_revision)

    def remove(self, schedule_id: str) -> bool:
        return self._inner.remove(schedule_id)

    def due(self, before: datetime, limit: int) -> list[Schedule]:
        return [self._open(each) for each in self._inner.due(before, limit)]

    def timetables(self, before: datetime, limit: int, *, since: datetime | None = None) -> list[Timetable]:
        return self._inner.timetables(before, limit, since=since)

    def advance(self, moves: Sequence[Advance]) -> int:
        return self._inner.advance(moves)

    def exhausted(self, limit: int) -> list[Schedule]:
        return [self._open(each) for each in self._inner.exhausted(limit)]

    def using_calendar(self, name: str, *, after_id: str = "", limit: int) -> list[Schedule]:
        found = self._inner.using_calendar(name, after_id=after_id, limit=limit)
        return [self._open(each) for each in found]

    def counts(self) -> dict[ScheduleState, int]:
        return self._inner.counts()

    def stale(self, *, limit: int, offset: int) -> tuple[list[Schedule], int]:
        """Schedules of one page of `find` with a value to be encrypted anew, and how many the page had.

        These are values in clear and those of an older key; what no key opens stays as it is.
        """
        page = self._inner.find(limit=limit, offset=offset).items
        return [self._open(each) for each in page if self._is_stale(each)], len(page)

    def _is_stale(self, stored: Schedule) -> bool:
        found = False

        def look(text: str) -> str:
            nonlocal found
            found = found or not (self._cipher.is_current(text) or is_sealed(self._cipher.open(text)))
            return text

        with_secrets(stored, look)
        return found

    def _seal(self, schedule: Schedule) -> Schedule:
        return with_secrets(schedule, self._cipher.seal)

    def _open(self, schedule: Schedule) -> Schedule:
        return with_secrets(schedule, self._cipher.open)
