"""Celery: a task that makes the call; beat's entries where they are asked for. `due|at FILE` queues."""

import sys
from datetime import UTC, datetime

import workload
from celery import Celery
from celery.schedules import crontab

http = workload.session()
app = Celery("celery_peer", broker=workload.REDIS_URL)
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True
if workload.SAFE:
    app.conf.task_acks_late = True
    app.conf.task_reject_on_worker_lost = True
    app.conf.broker_transport_options = {"visibility_timeout": 10, "unacked_restore_throttle": 1}


@app.task(name="call")
def call(url: str) -> None:
    http.post(url, json=workload.BODY, timeout=workload.TIMEOUT_SECONDS).raise_for_status()


def entry(line: dict[str, object]) -> dict[str, object]:
    """One of beat's entries."""
    when = {name: "*" if line[name] is None else line[name] for name in ("minute", "hour")}
    return {"task": "call", "schedule": crontab(**when), "args": (line["url"],)}


if "beat" in sys.argv:
    app.conf.beat_schedule = {str(line["id"]): entry(line) for line in workload.schedules()}


def main() -> None:
    """Queue the calls of a file, those of `at` with their ETA."""
    for line in workload.lines(sys.argv[2]):
        eta = datetime.fromtimestamp(line["at"], UTC) if sys.argv[1] == "at" else None
        call.apply_async((line["url"],), eta=eta)


if __name__ == "__main__":
    main()
