"""A schedule as it is answered. Who watches schedules asks for the same ones: what is shown is made once."""

from datetime import datetime
from typing import NamedTuple

from rrcli.core.exclusions import Exclusions
from rrcli.core.models import Schedule
from rrcli.operations.views import next_occurrence, schedule_view
from rrcli_api.media import encode
from rrcli_api.requests import content_etag

_REMEMBERED = 4096
_LONGEST_BYTES = 8192


class Shown(NamedTuple):
    """The bytes and their tag, and what they show: a record, and when it occurs next."""

    body: bytes
    tag: str
    schedule: Schedule
    next_run: datetime | None


_known: dict[str, Shown] = {}


def shown(schedule: Schedule, now: datetime, exclusions: Exclusions, *, reveal: bool) -> Shown:
    """What is answered of a schedule, as `schedule_view` has it.

    Nothing can be out of date: the stores give the same record while the same is stored, and only then. What
    is revealed is not remembered.
    """
    next_run = next_occurrence(schedule, now, exclusions)
    known = None if reveal else _known.get(schedule.id)
    if known is not None and known.schedule is schedule and known.next_run == next_run:
        return known
    body = encode(schedule_view(schedule, now, exclusions=exclusions, reveal=reveal))
    made = Shown(body, content_etag(schedule.revision, body), schedule, next_run)
    if not reveal and len(body) <= _LONGEST_BYTES:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[schedule.id] = made
    return made
