"""Huey: a task that makes the call; periodic tasks, where they are asked for. `due|at FILE` queues calls."""

import sys
from datetime import datetime

import workload
from huey import RedisHuey, crontab

http = workload.session()
huey = RedisHuey("peer", url=workload.REDIS_URL, results=False, utc=True)


@huey.task()
def call(url: str) -> None:
    http.post(url, json=workload.BODY, timeout=workload.TIMEOUT_SECONDS).raise_for_status()


def declare(line: dict[str, object]) -> None:
    """A periodic task takes no arguments: each schedule is a function of its own."""
    when = {name: "*" if line[name] is None else str(line[name]) for name in ("minute", "hour")}

    @huey.periodic_task(crontab(**when), name=f"schedule_{line['id']}")
    def run() -> None:
        http.post(line["url"], json=workload.BODY, timeout=workload.TIMEOUT_SECONDS).raise_for_status()


for schedule in workload.schedules():
    declare(schedule)


def main() -> None:
    """Queue the calls of a file, those of `at` with their ETA (local time, as Huey takes it)."""
    for line in workload.lines(sys.argv[2]):
        if sys.argv[1] == "at":
            call.schedule((line["url"],), eta=datetime.fromtimestamp(line["at"]))  # noqa: DTZ006
        else:
            call(line["url"])


if __name__ == "__main__":
    from huey_peer import call  # the consumer knows the task by this module's name

    main()
