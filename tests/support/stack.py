"""Real processes of this product on one store: daemons and API, to be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from rrcli.settings import Settings

DAEMONS = ("prequeuer", "dispatcher", "worker")
START_SECONDS = 30.0


def environment(store: Settings, **extra: str) -> dict[str, str]:
    """The environment in which a process of ours uses that store and nothing else."""
    named = {
        "RRCLI_DATA_DIR": store.embedded.data_dir,
        "MONGO_URI": store.mongo.uri,
        "MONGO_DATABASE": store.mongo.database if store.mongo.uri else None,
        "REDIS_URL": store.redis.url,
        "REDIS_PARTITIONS": str(store.redis.partitions),
    }
    inherited = {name: value for name, value in os.environ.items() if name not in {*named, "RRCLI_CONFIG"}}
    return inherited | {name: value for name, value in named.items() if value} | extra


def embedded(folder: Path) -> Settings:
    """The settings of an embedded store below `folder`."""
    settings = Settings()
    return replace(settings, embedded=replace(settings.embedded, data_dir=str(folder / "data")))


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], *, seconds: float = 30.0, what: str = "it") -> None:
    """Look again every 20 ms until the condition holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.02)


@dataclass
class Stack:
    """Processes by name; `worker` and `worker-2` are two workers. `command` runs ours, as a profiler does."""

    environment: Mapping[str, str]
    log: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    command: Sequence[str] = ()

    def start(self, name: str) -> None:
        """Start one process: a daemon, or `api`."""
        kind = name.split("-")[0]
        module = ["rrcli_api"] if kind == "api" else ["rrcli_daemons", kind]
        with self.log.open("ab") as output:
            self.processes[name] = subprocess.Popen(
                [*self.command, sys.executable, "-m", *module],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def replace(self, name: str, **changes: str) -> None:
        """SIGTERM, and another in its place when it has ended, with changes of the environment for all."""
        self.environment = {**self.environment, **changes}
        process = self.processes.pop(name)
        process.terminate()
        process.wait(20)
        self.start(name)

    def stop(self) -> None:
        """SIGTERM to all; what does not end in time is killed."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()


@contextmanager
def running(store: Settings, log: Path, *names: str, **extra: str) -> Iterator[Stack]:
    """A stack of the named processes; its log is printed by pytest when the test fails."""
    stack = Stack(environment(store, **extra), log)
    try:
        for name in names:
            stack.start(name)
        yield stack
    finally:
        stack.stop()
        print(log.read_text() if log.exists() else "")


@contextmanager
def client(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the stack's API, once it answers."""
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.environment['API_PORT']}", timeout=20) as http:
        wait_until(lambda: _answers(http), seconds=START_SECONDS, what="the API's first answer")
        yield http


@contextmanager
def whole(folder: Path) -> Iterator[tuple[Stack, httpx.Client]]:
    """What `rrcli up` starts, on an embedded store in `folder` and a port of its own, once it answers."""
    extra = {"API_PORT": str(free_port()), "API_WORKERS": "1"}
    with (
        running(embedded(folder), folder / "log", "api", *DAEMONS, **extra) as stack,
        client(stack) as http,
    ):
        yield stack, http


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False
