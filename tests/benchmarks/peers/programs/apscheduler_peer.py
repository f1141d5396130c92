"""APScheduler 3: jobs in Redis, run by a pool of threads. `due|at|hold FILE` adds jobs; `run` runs them."""

import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

import workload
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.redis import RedisJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.blocking import BlockingScheduler

http = workload.session()
THREADS = 20


def call(url: str) -> None:
    http.post(url, json=workload.BODY, timeout=workload.TIMEOUT_SECONDS).raise_for_status()


def options() -> dict[str, object]:
    """Of both schedulers: a late job still runs, which is not the default (1 s)."""
    address = urlsplit(workload.REDIS_URL)
    return {
        "jobstores": {"default": RedisJobStore(host=address.hostname, port=address.port)},
        "executors": {"default": ThreadPoolExecutor(THREADS)},
        "job_defaults": {"misfire_grace_time": None},
        "timezone": UTC,
    }


def trigger(line: dict[str, object]) -> dict[str, object]:
    """When a line is to run."""
    if "at" in line:
        return {"trigger": "date", "run_date": datetime.fromtimestamp(line["at"], UTC)}
    when = {name: "*" if line[name] is None else line[name] for name in ("minute", "hour")}
    return {"trigger": "cron", **when}


def main() -> None:
    """Add the jobs of a file through a paused scheduler, or run."""
    if sys.argv[1] == "run":
        BlockingScheduler(**options()).start()
    scheduler = BackgroundScheduler(**options())
    scheduler.start(paused=True)
    for line in workload.lines(sys.argv[2]):
        scheduler.add_job("apscheduler_peer:call", args=(line["url"],), id=str(line["id"]), **trigger(line))
    scheduler.shutdown()


if __name__ == "__main__":
    main()
