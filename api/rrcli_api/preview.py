"""When a rule fires: of a stored schedule, or of a rule that somebody thinks about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import falcon

from rrcli.core.exclusions import NOTHING, Exclusions
from rrcli.core.fields import Check, Integer, Optional, Text
from rrcli.core.recurrence import Recurrence
from rrcli.core.timefmt import format_instant
from rrcli.operations import preview, rules, schedules
from rrcli.operations.exclusions import reasons
from rrcli_api.media import read_fields, render
from rrcli_api.requests import Instant, query, require_id
from rrcli_api.resource import Resource

_RANGE: Mapping[str, Check] = {
    "after": Instant(),
    "before": Instant(),
    "limit": Integer(1, preview.OCCURRENCES_LIMIT),
}
_RULE: Mapping[str, Check] = {
    "rrule": Text(1_000_000),
    "timezone": Optional(Text(64)),
    **_RANGE,
}


class Preview(Resource):
    """What a rule would do; stores nothing."""

    only_reads = True

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        values = read_fields(req, _RULE, required=("rrule",))
        rule, timezone = values.pop("rrule"), values.pop("timezone", None)
        found = preview.preview(rule, timezone, now=self.context.now(), **values)
        recurrence = found.recurrence
        render(
            resp,
            {
                "rrule": recurrence.text,
                "timezone": recurrence.timezone,
                "description": recurrence.describe(),
                "remarks": [{"code": lint.code, "sentence": lint.sentence} for lint in recurrence.lint()],
                **_occurrences(found),
            },
        )


class Occurrences(Resource):
    """What a schedule's rule says, whether or not the schedule is paused."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        values = query(req, _RANGE)
        schedule = schedules.get(self.context, require_id(schedule_id, "a schedule"))
        recurrence = rules.recurrence_of(schedule)
        found = preview.preview_of(recurrence, now=self.context.now(), **values)
        exclusions = self.context.exclusions([schedule])[schedule.id]
        render(resp, _occurrences(found, exclusions))

    on_head = on_get


def _occurrences(found: preview.Preview, exclusions: Exclusions = NOTHING) -> dict[str, Any]:
    zone = _zone(found.recurrence)
    shown = [
        {"run_time": format_instant(each), "local": _local(each, zone)}
        | ({"excluded": reason} if reason else {})
        for each, reason in zip(found.occurrences, reasons(exclusions, found.occurrences), strict=True)
    ]
    return {"occurrences": shown, "more": found.more}


def _zone(recurrence: Recurrence) -> ZoneInfo:
    return ZoneInfo(recurrence.timezone)


def _local(instant: datetime, zone: ZoneInfo) -> str | None:
    """Wall-clock time with its offset; None where that would be in the year 10000."""
    try:
        return instant.astimezone(zone).isoformat()
    except OverflowError:
        return None
