"""What the resources share: the context, and changes under If-Match."""

from collections.abc import Callable
from typing import TypeVar

import falcon

from rrcli.core.idempotency import KeyUse
from rrcli.core.ids import Seed
from rrcli.errors import Conflict
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli_api import requests

T = TypeVar("T")


class Resource:
    """A resource that works on the store."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def seed(self, req: falcon.Request) -> Seed | None:
        """What new ids are made from, when the request came under an Idempotency-Key."""
        use: KeyUse | None = getattr(req.context, "key_use", None)
        return use.seed if use else None

    def guarded(self, req: falcon.Request, schedule_id: str, change: Callable[[int | None], T]) -> T:
        """`change(expected_revision)` under the request's If-Match; a stale one is ApiError 412.

        The revision is compared again by the store when it writes, so nothing slips in between.
        """
        allowed = requests.expected_revisions(req)
        if allowed is None:
            return change(None)
        revision = schedules.get(self.context, schedule_id).revision
        if revision not in allowed:
            raise requests.stale(schedule_id, revision)
        try:
            return change(revision)
        except Conflict as error:
            now = schedules.get(self.context, schedule_id).revision
            if now != revision:
                raise requests.stale(schedule_id, now) from error
            raise
