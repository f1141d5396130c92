"""/api/schedules:batch: many schedules in one request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import falcon

from rrcli.core.fields import check_mapping, refuse
from rrcli.errors import FieldError, InvalidInput
from rrcli.operations import batch
from rrcli_api.media import read_object, render
from rrcli_api.requests import query
from rrcli_api.resource import Resource

BATCH_BYTES = 8 * 1024 * 1024
"""The longest body that this path takes; all others take 1 MiB."""


@dataclass(frozen=True, slots=True)
class _Items:
    """The list of schedules; what is in them is checked one by one."""

    allowed: str = f"a list of 1 to {batch.BATCH_LIMIT} objects"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        if (
            not isinstance(value, list)
            or not 1 <= len(value) <= batch.BATCH_LIMIT
            or not all(isinstance(each, Mapping) for each in value)
        ):
            refuse(errors, path, None, self.allowed)
        return value

    def parse(self, text: str) -> object:
        return text


class Batch(Resource):
    """Makes all the schedules of the list, or none: one that is refused refuses them all."""

    most_bytes = BATCH_BYTES

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        data = read_object(req, most_bytes=BATCH_BYTES, most_members=batch.BATCH_LIMIT)
        made = batch.create_many(self.context, _items(data), seed=self.seed(req))
        resp.status = falcon.HTTP_201
        render(resp, {"schedules": [{"id": each.id} for each in made]})


def _items(data: dict[str, Any]) -> Sequence[Mapping[str, object]]:
    errors: list[FieldError] = []
    values = check_mapping(data, {batch.FIELD: _Items()}, errors, required=(batch.FIELD,))
    if errors:
        raise InvalidInput(errors)
    items: Any = values[batch.FIELD]
    return items  # type: ignore[no-any-return]  # _Items has looked
