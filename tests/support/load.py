"""Many schedules at once, made straight in the store, and the question whether all have run."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from rrcli.clock import SystemClock
from rrcli.core.ids import random_id
from rrcli.core.models import Misfire, MisfirePolicy, Schedule
from rrcli.repository.base import Repository


def add_schedules(
    repository: Repository, url: str, number: int, *, each: int, starting_in: timedelta
) -> list[Schedule]:
    """Schedules that fire every second, `each` times; the prequeuer has to queue them."""
    start = SystemClock().now().replace(microsecond=0) + starting_in
    made = [_schedule(f"load-{index}", url, start, each) for index in range(number)]
    repository.schedules.add(made)
    return made


def _schedule(name: str, url: str, start: datetime, count: int) -> Schedule:
    return Schedule(
        id=random_id(start, secrets.token_bytes(8)),
        name=name,
        rrule=f"DTSTART:{start:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=SECONDLY;COUNT={count}",
        callback_url=url,
        misfire=Misfire(policy=MisfirePolicy.ALL),
        next_run=start,
        created_at=start,
        updated_at=start,
    )


def all_ended(repository: Repository, schedules: Sequence[Schedule], each: int) -> bool:
    """Whether the archive has `each` events of every schedule."""
    return all(repository.events.history(one.id, limit=1).total >= each for one in schedules)
