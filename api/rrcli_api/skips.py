"""/api/schedules/{id}/skip, unskip and move: single occurrences taken out, put back, moved."""

from collections.abc import Callable, Mapping
from typing import Any

import falcon

from rrcli.core.fields import Boolean, Check, Integer, Text
from rrcli.core.models import Schedule
from rrcli.operations import skips
from rrcli.operations.context import Context
from rrcli_api.media import read_fields
from rrcli_api.requests import Instant, query, require_id
from rrcli_api.resource import Resource
from rrcli_api.schedules import show

_REASON = Text(skips.REASON_LENGTH)
_SKIP: Mapping[str, Check] = {"at": Instant(), "count": Integer(1, skips.COUNT_LIMIT), "reason": _REASON}
_UNSKIP: Mapping[str, Check] = {"at": Instant(), "all": Boolean()}
_MOVE: Mapping[str, Check] = {"at": Instant(), "to": Instant(), "reason": _REASON}


class _Changed(Resource):
    """A change of the schedule's skips, under If-Match; answers the schedule."""

    repeats_safely = True

    def __init__(
        self,
        context: Context,
        operation: Callable[..., Schedule],
        fields: Mapping[str, Check],
        required: tuple[str, ...] = (),
    ) -> None:
        super().__init__(context)
        self._operation = operation
        self._fields = fields
        self._required = required

    def on_post(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        query(req, {})
        require_id(schedule_id, "a schedule")
        values = read_fields(req, self._fields, self._required)
        changed = self.guarded(
            req,
            schedule_id,
            lambda revision: self._operation(self.context, schedule_id, expected_revision=revision, **values),
        )
        show(self, resp, changed)


def skip(context: Context) -> Resource:
    """Takes the next occurrences out, or those from an instant on."""
    changed = _Changed(context, skips.skip, _SKIP)
    changed.repeats_safely = False  # again, it would take out the next ones after those
    return changed


def unskip(context: Context) -> Resource:
    """Puts occurrences back."""
    return _Changed(context, _unskip, _UNSKIP)


def move(context: Context) -> Resource:
    """Lets one occurrence fire at another instant."""
    return _Changed(context, skips.move, _MOVE, ("at", "to"))


def _unskip(context: Context, schedule_id: str, **values: Any) -> Schedule:
    return skips.unskip(context, schedule_id, everything=values.pop("all", False), **values)
