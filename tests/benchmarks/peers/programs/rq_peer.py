"""RQ: a job that makes the call. `due|at FILE` queues calls."""

import sys
from datetime import UTC, datetime

import workload
from redis import Redis
from rq import Queue, Retry

http = workload.session()
AT_ONCE = 1000


def call(url: str) -> None:
    http.post(url, json=workload.BODY, timeout=workload.TIMEOUT_SECONDS).raise_for_status()


def main() -> None:
    """Queue the calls of a file; the function is named, for a worker to import."""
    queue = Queue("default", connection=Redis.from_url(workload.REDIS_URL))
    retry = Retry(max=3) if workload.SAFE else None
    pending = []
    for line in workload.lines(sys.argv[2]):
        if sys.argv[1] == "at":
            queue.enqueue_at(datetime.fromtimestamp(line["at"], UTC), "rq_peer.call", line["url"])
            continue
        pending.append(Queue.prepare_data("rq_peer.call", (line["url"],), retry=retry))
        if len(pending) == AT_ONCE:
            queue.enqueue_many(pending)
            pending = []
    queue.enqueue_many(pending)


if __name__ == "__main__":
    main()
