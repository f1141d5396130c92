"""arq: a coroutine that makes the call; cron jobs, where they are asked for. `due|at FILE` queues calls."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

import workload
from aiohttp import ClientSession
from arq import create_pool
from arq.connections import RedisSettings
from arq.cron import CronJob
from arq.cron import cron as cron_job

AT_ONCE = 100


async def call(ctx: dict[str, Any], url: str) -> None:
    async with ctx["http"].post(url, json=workload.BODY) as response:
        response.raise_for_status()


async def startup(ctx: dict[str, Any]) -> None:
    ctx["http"] = ClientSession()


async def shutdown(ctx: dict[str, Any]) -> None:
    await ctx["http"].close()


def scheduled(line: dict[str, Any]) -> CronJob:
    """A cron job takes no arguments: each schedule is a coroutine of its own."""

    async def run(ctx: dict[str, Any]) -> None:
        await call(ctx, line["url"])

    return cron_job(run, name=f"schedule_{line['id']}", hour=line["hour"], minute=line["minute"], second=0)


class WorkerSettings:
    """Of `arq arq_peer.WorkerSettings`."""

    functions = (call,)
    cron_jobs = tuple(map(scheduled, workload.schedules()))
    on_startup = startup
    on_shutdown = shutdown
    redis_settings = RedisSettings.from_dsn(workload.REDIS_URL)
    timezone = UTC
    max_jobs = 50
    queue_read_limit = 2000  # five times max_jobs would be 500 calls a second, at two polls a second
    keep_result = 0
    job_timeout = 5 if workload.SAFE else 300


async def main() -> None:
    """Queue the calls of a file, some at once, those of `at` with their time."""
    pool = await create_pool(WorkerSettings.redis_settings)
    calls = list(workload.lines(sys.argv[2]))
    for first in range(0, len(calls), AT_ONCE):
        queued = []
        for line in calls[first : first + AT_ONCE]:
            at = datetime.fromtimestamp(line["at"], UTC) if sys.argv[1] == "at" else None
            queued.append(pool.enqueue_job("call", line["url"], _defer_until=at))
        await asyncio.gather(*queued)
    await pool.aclose()


if __name__ == "__main__":
    asyncio.run(main())
