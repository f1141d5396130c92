"""What every peer is given to do, and the call that a task makes; runs in the peers' own environments."""

import json
import os
from collections.abc import Iterator
from typing import Any

BODY = {"job": "report", "tenant": 42}
TIMEOUT_SECONDS = 30
CALLS_AT_ONCE = 128

REDIS_URL = os.environ.get("REDIS_URL", "")
SAFE = os.environ.get("PEER_SAFE") == "1"
"""Whether the peer's documented settings against loss are on."""


def lines(path: str) -> Iterator[dict[str, Any]]:
    """The calls of a workload: `url`, and `at` (epoch seconds) or `hour` and `minute` (null: every one)."""
    with open(path, encoding="utf-8") as file:
        yield from map(json.loads, file)


def schedules() -> Iterator[dict[str, Any]]:
    """The schedules of peers that keep them in code, none when they are not asked for."""
    path = os.environ.get("PEER_SCHEDULES")
    return lines(path) if path else iter(())


def cron(line: dict[str, Any]) -> str:
    """Minute and hour of a schedule as a crontab line; null is every one."""
    minute, hour = ("*" if line[name] is None else line[name] for name in ("minute", "hour"))
    return f"{minute} {hour} * * *"


def session() -> Any:
    """A requests session that keeps its connections, as many as there may be calls at once."""
    import requests
    from requests.adapters import HTTPAdapter

    made = requests.Session()
    made.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=CALLS_AT_ONCE))
    return made
