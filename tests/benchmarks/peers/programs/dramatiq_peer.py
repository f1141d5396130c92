"""dramatiq: an actor that makes the call; periodiq's actors where they are asked for. `due|at FILE` sends."""

import sys
import time

import dramatiq
import workload
from dramatiq.brokers.redis import RedisBroker
from periodiq import PeriodiqMiddleware, cron

http = workload.session()
SAFE = {"heartbeat_timeout": 5000, "maintenance_chance": 100_000}  # milliseconds, of a million commands
broker = RedisBroker(url=workload.REDIS_URL, **(SAFE if workload.SAFE else {}))
broker.add_middleware(PeriodiqMiddleware(skip_delay=30))
dramatiq.set_broker(broker)


@dramatiq.actor
def call(url: str) -> None:
    http.post(url, json=workload.BODY, timeout=workload.TIMEOUT_SECONDS).raise_for_status()


def declare(line: dict[str, object]) -> None:
    """A periodic actor takes no arguments: each schedule is an actor of its own."""

    @dramatiq.actor(actor_name=f"schedule_{line['id']}", periodic=cron(workload.cron(line)))
    def run() -> None:
        http.post(line["url"], json=workload.BODY, timeout=workload.TIMEOUT_SECONDS).raise_for_status()


for schedule in workload.schedules():
    declare(schedule)


def main() -> None:
    """Send the calls of a file, those of `at` with a delay in milliseconds."""
    for line in workload.lines(sys.argv[2]):
        if sys.argv[1] == "at":
            delay = round((line["at"] - time.time()) * 1000)  # noqa: TID251  # rrcli is not installed here
            call.send_with_options(args=(line["url"],), delay=max(delay, 0))
        else:
            call.send(line["url"])


if __name__ == "__main__":
    main()
