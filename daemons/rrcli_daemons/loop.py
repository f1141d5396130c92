"""The one loop that all daemons share: signals, waits, heartbeats, and outages of the store.

A daemon is a plain `run_once(now)`; everything about time and processes is here.
"""

import logging
import os
import secrets
import selectors
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import FrameType
from typing import Protocol

from rrcli.clock import Clock
from rrcli.errors import StoreUnavailable
from rrcli.metrics import Tally
from rrcli.operations.status import HEARTBEAT_SECONDS
from rrcli.repository.base import Channel, Heartbeat, Repository, Waiter

log = logging.getLogger(__name__)

IDLE_WAIT_SECONDS = 1.0
"""Longest wait, so that a clock set forward or a lost wake-up costs no more than this."""

GATHER_SECONDS = 0.005
"""Shortest time between two steps that only a daemon's own sources ask for: together they cost less."""

OUTAGE_WAIT_SECONDS = (0.1, 2.0)
"""First and longest wait between two tries while the store is away; doubles in between."""


class Wakeable(Protocol):
    """Something select can wait for."""

    def fileno(self) -> int: ...


class Daemon(Protocol):
    """What a daemon gives to the loop."""

    @property
    def name(self) -> str: ...

    @property
    def channel(self) -> Channel | None:
        """Whose wake-ups it wants."""
        ...

    @property
    def sources(self) -> Sequence[Wakeable]:
        """What else may wake it."""
        ...

    def run_once(self, now: datetime, *, called: bool = True) -> datetime | None:
        """Do what is due; when there is more to do (`now` or earlier: at once; None: when woken).

        Not `called`: its own sources alone have woken it, nobody on its channel, nor time.
        """
        ...

    def finish(self) -> datetime | None:
        """One step of an orderly stop: None when done, else as `run_once`."""
        ...

    @property
    def tally(self) -> Tally:
        """What it measures, for Prometheus."""
        ...

    def counters(self) -> Mapping[str, float]:
        """Figures for the heartbeat, and for Prometheus."""
        ...


def new_instance() -> str:
    """A name for this process that no other has had: host, pid, and some random digits."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


class Loop:
    """Runs one daemon until `stop` or a signal; the store may come and go."""

    def __init__(
        self, daemon: Daemon, repository: Repository, clock: Clock, *, instance: str, grace: timedelta
    ) -> None:
        self._daemon = daemon
        self._repository = repository
        self._clock = clock
        self._grace = grace
        self._started_at = clock.now()
        self._next_beat = 0.0
        self._began = 0.0
        self._waiter: Waiter | None = None
        self._ready = False
        self._called, self._called_at = True, 0.0
        self._stopping = False
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._instance = instance

    def stop(self) -> None:
        """Ask for an orderly stop; safe before the start, twice, and from a signal or another thread."""
        self._stopping = True
        try:
            self._wake_write.send(b"\0")
        except (BlockingIOError, OSError):
            return  # the pipe is full or closed: the loop is awake or over

    def handle_signals(self) -> None:
        """SIGTERM and SIGINT stop in order; a second one stops at once."""

        def on_signal(number: int, _frame: FrameType | None) -> None:
            if self._stopping:
                os._exit(128 + number)
            self.stop()

        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)

    def run(self) -> None:
        """Run until stopped, then finish within the grace period."""
        log.info("%s started", self._daemon.name, extra={"action": "started", "instance": self._instance})
        self._repeat(self._step, until=lambda: self._stopping)
        log.info("%s is stopping", self._daemon.name, extra={"action": "stopping"})
        deadline = self._clock.monotonic() + self._grace.total_seconds()
        done = False

        def finish(now: datetime) -> datetime | None:
            nonlocal done
            more = self._daemon.finish()
            done = more is None
            return now if done else more

        self._repeat(finish, until=lambda: done or self._clock.monotonic() > deadline)
        self._close()
        log.info("%s stopped", self._daemon.name, extra={"action": "stopped"})

    def _step(self, now: datetime) -> datetime | None:
        if not self._ready:
            self._repository.init()
            self._ready = True
        self._beat(now)
        more = self._daemon.run_once(now, called=self._called)
        if self._waiter is None and self._daemon.channel is not None:
            # Afterwards: while the queues are away, there is something to do in the ledger.
            self._waiter = self._repository.waiter(self._daemon.channel)
            self._called = True
            return now  # what came before it listened is found by another look
        return more

    def _repeat(self, step: Callable[[datetime], datetime | None], *, until: Callable[[], bool]) -> None:
        """Call `step` and wait as it says, with growing waits while the store is away."""
        outage = 0.0
        while not until():
            self._began = self._clock.monotonic()
            if self._called:
                self._called_at = self._began
            try:
                more = step(self._clock.now())
                if outage:
                    log.info("The store is back", extra={"action": "store_back"})
                    outage = 0.0
                self._wait(self._seconds_until(more))
            except StoreUnavailable as error:
                if not outage:
                    log.warning("Waiting for the store: %s", error.message, extra={"action": "store_away"})
                shortest, longest = OUTAGE_WAIT_SECONDS
                outage = min(max(outage * 2, shortest), longest)
                self._drop_waiter()
                self._called = True
                self._select([self._wake_read], outage)

    def _seconds_until(self, more: datetime | None) -> float:
        if more is None:
            return IDLE_WAIT_SECONDS
        return min(max((more - self._clock.now()).total_seconds(), 0.0), IDLE_WAIT_SECONDS)

    def _wait(self, seconds: float) -> None:
        """Until something wakes the daemon, `seconds` at most; returns at once when that is 0."""
        self._called = True
        if seconds <= 0:
            return
        waiting: list[Wakeable] = [self._wake_read]
        if self._waiter is not None:
            waiting.append(self._waiter)
        ready: list[Wakeable] = []
        if self._daemon.sources:
            gathers = min(max(self._began + GATHER_SECONDS - self._clock.monotonic(), 0.0), seconds)
            ready = self._select(waiting, gathers) if gathers else []
            waiting += self._daemon.sources
            seconds -= gathers
        ready = ready or self._select(waiting, seconds)
        by_sources_alone = bool(ready) and not {self._waiter, self._wake_read} & {*ready}
        # A call that was lost costs no more than the longest wait.
        self._called = not by_sources_alone or self._clock.monotonic() >= self._called_at + IDLE_WAIT_SECONDS
        if self._waiter is not None and self._waiter in ready:
            self._waiter.drain()

    def _select(self, waiting: Sequence[Wakeable], seconds: float) -> list[Wakeable]:
        with selectors.PollSelector() as selector:
            for each in waiting:
                selector.register(each, selectors.EVENT_READ, each)
            ready = [key.data for key, _ in selector.select(seconds)]
        if self._wake_read in ready:
            self._wake_read.recv(4096)
        return ready

    def _beat(self, now: datetime) -> None:
        """A sign of life, every few seconds."""
        if self._clock.monotonic() < self._next_beat:
            return
        self._next_beat = self._clock.monotonic() + HEARTBEAT_SECONDS
        self._repository.heartbeats.beat(
            Heartbeat(
                daemon=self._daemon.name,
                instance=self._instance,
                host=socket.gethostname(),
                pid=os.getpid(),
                started_at=self._started_at,
                seen_at=now,
                detail=self._daemon.counters(),
            )
        )

    def _drop_waiter(self) -> None:
        if self._waiter is not None:
            self._waiter.close()
            self._waiter = None

    def _close(self) -> None:
        self._drop_waiter()
        try:
            self._repository.heartbeats.stop(self._instance)
        except StoreUnavailable:
            log.debug("The store is away; the heartbeat will run out by itself")
        self._wake_read.close()
        self._wake_write.close()
