"""The peers: what is installed, what is run, and with which settings; ours is described the same way."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

OURS = "rrule-scheduler"


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """One system. Commands may name `{bin}` of its environment, `{programs}`, and `{folder}` for files."""

    name: str
    packages: Sequence[str]
    """Of PyPI or npm, the first one's version is shown; none for ours."""
    load: str
    """Called with `due`, `at` or `hold`, and the file of the workload."""
    run: Sequence[str]
    """What must run that calls are made."""
    more: Sequence[str] = ()
    """A second process that makes calls, where one uses one processor only; not started to hold schedules."""
    keep: Sequence[str] = ()
    """What must run besides, that schedules are kept."""
    in_code: bool = False
    """Schedules are part of the program: to load them is to start it."""
    mongo: bool = False
    redis: bool = True
    node: bool = False
    settings: str
    schedules: str
    """How it holds schedules."""
    safe: str | None = None
    """The documented setting against loss; None where there is none."""
    remains: Sequence[str] = ()
    """Redis keys, or the MongoDB collection, of calls that have not been made."""

    @property
    def slug(self) -> str:
        """The name as part of a URL or path."""
        return re.sub(r"[^\w]+", "-", self.name).strip("-")


PYTHON = "{bin}/python {programs}/"
DAEMONS = tuple(f"{{bin}}/python -m rrcli_daemons {name}" for name in ("prequeuer", "dispatcher", "worker"))

PEERS = (
    Peer(
        name=OURS,
        packages=(),
        load=PYTHON + "ours.py",
        run=DAEMONS,
        mongo=True,
        settings="defaults: one worker process, 200 calls in flight",
        schedules="MongoDB; any RRULE, changed at any time",
    ),
    Peer(
        name=f"{OURS}, embedded",
        packages=(),
        load=PYTHON + "ours.py",
        run=DAEMONS,
        redis=False,
        settings="defaults: one worker process, 200 calls in flight",
        schedules="SQLite file; any RRULE, changed at any time",
    ),
    Peer(
        name="Celery",
        packages=("celery[redis]", "requests"),
        load=PYTHON + "celery_peer.py",
        run=("{bin}/celery -A celery_peer worker --loglevel WARNING",),
        keep=("{bin}/celery -A celery_peer beat --loglevel WARNING --schedule {folder}/beat",),
        in_code=True,
        settings="defaults: prefork, one process per processor; requests",
        schedules="beat: code, kept in a shelve file; crontab, whole minutes",
        safe="acks_late, reject_on_worker_lost, visibility_timeout 10 s, unacked_restore_throttle 1",
        remains=("celery", "unacked"),
    ),
    Peer(
        name="RQ",
        packages=("rq", "requests"),
        load=PYTHON + "rq_peer.py",
        run=(
            "{bin}/rq worker-pool default -n 4 -w rq.worker.SimpleWorker -q",
            "{bin}/rq worker --with-scheduler default -w rq.worker.SimpleWorker -q",
        ),
        keep=("{bin}/rq cron rq_schedules --logging-level warning",),
        in_code=True,
        settings="5 SimpleWorkers (no fork per job), one with the scheduler; requests",
        schedules="rq cron (beta): code; crontab, whole minutes",
        safe="Retry(max=3) for each job",
        remains=(
            *("rq:queue:default", "rq:queue:default:intermediate", "rq:ready:default"),
            *("rq:wip:default", "rq:scheduled:default", "rq:failed:default"),
        ),
    ),
    Peer(
        name="APScheduler 3",
        packages=("apscheduler<4", "redis", "requests"),
        load=PYTHON + "apscheduler_peer.py",
        run=(PYTHON + "apscheduler_peer.py run",),
        settings="RedisJobStore, 20 threads, misfire_grace_time None; requests",
        schedules="Redis (pickled jobs); cron with seconds, changed at any time",
        remains=("apscheduler.jobs",),
    ),
    Peer(
        name="Huey",
        packages=("huey", "redis", "requests"),
        load=PYTHON + "huey_peer.py",
        run=("{bin}/huey_consumer huey_peer.huey -w 8 -k thread -q",),
        in_code=True,
        settings="8 threads; requests",
        schedules="code; crontab, whole minutes",
        remains=("huey.redis.peer",),
    ),
    Peer(
        name="dramatiq + periodiq",
        packages=("dramatiq[redis]", "periodiq", "requests"),
        load=PYTHON + "dramatiq_peer.py",
        run=("{bin}/dramatiq dramatiq_peer --processes 2 --threads 8",),
        keep=("{bin}/periodiq dramatiq_peer",),
        in_code=True,
        settings="defaults: 2 processes of 8 threads; requests",
        schedules="code; crontab, whole minutes",
        safe="heartbeat_timeout 5 s instead of 60 s, maintenance_chance 10 % instead of 0.1 %",
        remains=("dramatiq:default.msgs",),
    ),
    Peer(
        name="arq",
        packages=("arq", "aiohttp"),
        load=PYTHON + "arq_peer.py",
        run=("{bin}/arq arq_peer.WorkerSettings",),
        more=("{bin}/arq arq_peer.WorkerSettings",),
        in_code=True,
        settings="2 processes, max_jobs 50, queue_read_limit 2,000, keep_result 0; aiohttp",
        schedules="code; cron with seconds",
        safe="job_timeout 5 s instead of 300 s",
        remains=("arq:queue",),
    ),
    Peer(
        name="BullMQ",
        packages=("bullmq", "ioredis"),
        load="node bullmq_peer.mjs",
        run=("node bullmq_peer.mjs run",),
        more=("node bullmq_peer.mjs run",),
        node=True,
        settings="2 processes of concurrency 50; fetch",
        schedules="Redis; cron with seconds, changed at any time",
        safe="lockDuration and stalledInterval 5 s instead of 30 s",
        remains=("bull:calls:wait", "bull:calls:active", "bull:calls:failed"),
    ),
    Peer(
        name="Agenda",
        packages=("agenda", "@agendajs/mongo-backend"),
        load="node agenda_peer.mjs",
        run=("node agenda_peer.mjs run",),
        mongo=True,
        redis=False,
        node=True,
        settings="one process (two are slower), maxConcurrency and defaultConcurrency 100; fetch",
        schedules="MongoDB; cron, changed at any time",
        safe="defaultLockLifetime 30 s instead of 10 min",
        remains=("agendaJobs",),
    ),
)
