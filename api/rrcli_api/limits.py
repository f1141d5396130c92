"""How many requests a second one caller may make: 429 with Retry-After above that."""

import math
from typing import Any

import falcon

from rrcli.operations.context import Context
from rrcli_api.errors import ApiError
from rrcli_api.shared import Buckets


class RateLimit:
    """A token bucket for each API key; without a key, for each address. Health and documents are free."""

    def __init__(self, context: Context, buckets: Buckets) -> None:
        self._context = context
        self._buckets = buckets
        self._per_second = context.settings.api.rate_limit
        self._burst = context.settings.api.rate_burst

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: dict[str, Any]
    ) -> None:
        if not self._per_second or not req.path.startswith("/api/"):
            return
        key = req.context.api_key
        caller = f"key {key.id}" if key else f"address {req.remote_addr}"
        wait = self._buckets.take(
            caller, self._context.clock.monotonic(), per_second=self._per_second, burst=self._burst
        )
        if wait:
            seconds = str(max(1, math.ceil(wait)))
            raise ApiError(
                429,
                "rate_limited",
                f"More than {self._per_second:g} requests a second; try again in {seconds} s.",
                Retry_After=seconds,
            )
