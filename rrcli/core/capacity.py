"""The capacity model: what a schedule and an event cost, and how many of what a fleet needs.

The figures are measured (`capacity_figures.py`, written by `make bench`); docs/capacity.md explains them and
shows how far predictions are from independent measurements. CPU is counted in microseconds of one core.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_US = 1_000_000
_GIB = 2**30
DAY_SECONDS = 86_400
_JOINING = 3.0
"""Exponent of the mean that joins bounds: two equal ones make four fifths of either."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """What one step of the way costs for each event.

    `busy_us` is the time one process is taken up, its waits for the stores included: a second holds
    1,000,000 of them. The rest is CPU time, of the process and of each server; round trips are counted for
    1,000 events, which travel in batches.
    """

    busy_us: float
    process_cpu_us: float
    mongod_cpu_us: float
    redis_cpu_us: float
    mongo_round_trips_per_1000: float
    redis_round_trips_per_1000: float

    @property
    def cpu_us(self) -> float:
        """CPU of the process and of both servers."""
        return self.process_cpu_us + self.mongod_cpu_us + self.redis_cpu_us


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """Bytes that one schedule or event takes: in MongoDB in memory and compressed on disk, Redis, SQLite."""

    mongo_data_bytes: float
    mongo_disk_bytes: float
    mongo_index_bytes: float
    redis_bytes: float
    sqlite_bytes: float

    @property
    def mongo_bytes(self) -> float:
        """On disk, documents and indexes."""
        return self.mongo_disk_bytes + self.mongo_index_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The parameters of the model; `measured` says where and when they were taken."""

    measured: str
    prequeue: Stage
    dispatch: Stage
    work: Stage
    receiver_cpu_us: float
    schedule: Size
    queued_event: Size
    finished_event: Size

    def drain_per_second(self, cores: int) -> float:
        """Events a second that one worker finishes on a machine of so many cores, receiver included."""
        return self._rate((self.work,), cores)

    def flow_per_second(self, cores: int) -> float:
        """Events a second from schedule to archive with one of each daemon, all on one machine."""
        return self._rate((self.prequeue, self.dispatch, self.work), cores)

    def _rate(self, stages: Sequence[Stage], cores: int) -> float:
        """The bounds of all steps and of the machine, joined.

        The lowest decides; others close to it take away some more, since what waits for a core is late for
        the next step, too. A power mean says so: it is never above the lowest bound.
        """
        cpu_us = sum(stage.cpu_us for stage in stages) + self.receiver_cpu_us
        bounds = [*(_US / stage.busy_us for stage in stages), cores * _US / cpu_us]
        return float(sum(bound**-_JOINING for bound in bounds) ** (-1 / _JOINING))


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """What is asked for. `peak` is how many times its mean the rate reaches; `history_days` are kept."""

    schedules: int
    events_per_schedule_and_day: float
    peak: float = 3.0
    history_days: float = 30.0
    window_minutes: float = 10.0
    attempts: float = 1.05

    @property
    def mean_per_second(self) -> float:
        """Events a second, on average."""
        return self.schedules * self.events_per_schedule_and_day / DAY_SECONDS

    @property
    def peak_per_second(self) -> float:
        """Events a second that it must be able to make."""
        return self.mean_per_second * self.peak


@dataclass(frozen=True, kw_only=True, slots=True)
class Hardware:
    """What the parts are to run on: one server's share, and how much of it may be in use at the peak."""

    headroom: float = 0.5
    cores_per_shard: int = 8
    disk_gib_per_shard: float = 2000.0
    memory_gib_per_shard: float = 64.0
    memory_gib_per_redis: float = 16.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """How many of what. Cores and counts are for the peak, disk for the kept history."""

    workers: int
    dispatchers: int
    prequeuers: int
    daemon_cores: float
    mongo_cores: float
    mongo_disk_gib: float
    mongo_memory_gib: float
    shards: int
    redis_cores: float
    redis_memory_gib: float
    redis_masters: int


def need(fleet: Fleet, figures: Figures, hardware: Hardware) -> Need:
    """What a fleet needs at its peak, with the headroom asked for."""
    rate = fleet.peak_per_second
    calls = rate * fleet.attempts
    stages = {figures.prequeue: rate, figures.dispatch: calls, figures.work: calls}

    def cores(cost: str) -> float:
        used: float = sum(getattr(stage, cost) * per_second for stage, per_second in stages.items())
        return used / _US / hardware.headroom

    queued = rate * fleet.window_minutes * 60
    finished = fleet.mean_per_second * DAY_SECONDS * fleet.history_days
    day = fleet.mean_per_second * DAY_SECONDS
    disk = (
        fleet.schedules * figures.schedule.mongo_bytes
        + queued * figures.queued_event.mongo_bytes
        + finished * figures.finished_event.mongo_bytes
    )
    # What is touched all the time: every index of schedules and live events, these events themselves, the
    # schedules that fire within a day, and the archive's indexes of a day, whose pages are written.
    memory = (
        fleet.schedules * figures.schedule.mongo_index_bytes
        + min(fleet.schedules, day) * figures.schedule.mongo_data_bytes
        + queued * (figures.queued_event.mongo_data_bytes + figures.queued_event.mongo_index_bytes)
        + day * figures.finished_event.mongo_index_bytes
    )
    mongo_cores, redis_cores = cores("mongod_cpu_us"), cores("redis_cpu_us")
    redis_memory = queued * figures.queued_event.redis_bytes / hardware.headroom
    return Need(
        workers=_processes(calls, figures.work, hardware),
        dispatchers=_processes(calls, figures.dispatch, hardware),
        prequeuers=_processes(rate, figures.prequeue, hardware),
        daemon_cores=cores("process_cpu_us"),
        mongo_cores=mongo_cores,
        mongo_disk_gib=disk / _GIB,
        mongo_memory_gib=memory / _GIB,
        shards=max(
            1,
            math.ceil(mongo_cores / hardware.cores_per_shard),
            math.ceil(disk / _GIB / hardware.disk_gib_per_shard),
            math.ceil(memory / _GIB / hardware.memory_gib_per_shard),
        ),
        redis_cores=redis_cores,
        redis_memory_gib=redis_memory / _GIB,
        redis_masters=max(
            1, math.ceil(redis_cores), math.ceil(redis_memory / _GIB / hardware.memory_gib_per_redis)
        ),
    )


def _processes(per_second: float, stage: Stage, hardware: Hardware) -> int:
    """Processes that such a rate keeps busy for no more than the share of their time that is allowed."""
    return max(1, math.ceil(per_second * stage.busy_us / _US / hardware.headroom))
