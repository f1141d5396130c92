"""One peer on servers of its own: loaded, run, killed, and what it costs."""

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis

from tests.benchmarks.peers import environments
from tests.benchmarks.peers.catalogue import Peer
from tests.support import servers

MIB = 2**20
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.05
LOOKS = 10
REST_LOOKS = 4
"""Rounds of looks, none with more than half of them busy, after which a peer has come to rest."""


@dataclass
class Site:
    """A peer's environment, servers, files and processes."""

    peer: Peer
    folder: Path
    commands: Mapping[str, str]
    directory: Path
    environment: dict[str, str]
    servers: Sequence[servers.Server]
    processes: list[psutil.Popen] = field(default_factory=list)
    empty_bytes: int = 0

    def load(self, what: str, workload: Path, *, seconds: float) -> float:
        """Hand it a workload; how long that took. Raises subprocess.TimeoutExpired."""
        began = time.perf_counter()
        command = [*self._words(self.peer.load), what, str(workload)]
        with self._log() as log:
            subprocess.run(
                command,
                check=True,
                cwd=self.directory,
                env=self.environment,
                stdout=log,
                stderr=log,
                timeout=seconds,
            )
        return time.perf_counter() - began

    def start(self, *, schedules: Path | None = None) -> None:
        """Start what makes calls; with a file of schedules, also what keeps them."""
        commands = [*self.peer.run, *(self.peer.keep if schedules else self.peer.more)]
        environment = self.environment | ({"PEER_SCHEDULES": str(schedules)} if schedules else {})
        with self._log() as log:
            for command in commands:
                self.processes.append(
                    psutil.Popen(
                        self._words(command),
                        cwd=self.directory,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )

    def kill(self) -> None:
        """SIGKILL to all its processes at once, as when the machine goes."""
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for process in self.processes:
            process.wait()
        self.processes.clear()

    def stop(self) -> None:
        """End it in order; what does not end in time is killed."""
        for process in self.processes:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        psutil.wait_procs(self.processes, timeout=STOP_SECONDS)
        self.kill()

    def rest(self, *, seconds: float) -> float:
        """Wait until its processes mostly sleep; when that began. Raises TimeoutError.

        Those that wait for a processor count as busy, however little they get of it.
        """
        deadline = time.perf_counter() + seconds
        quiet, since = 0, time.perf_counter()
        while quiet < REST_LOOKS:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"not at rest within {seconds:g} s")
            if quiet == 0:
                since = time.perf_counter()
            busy = 0
            for _ in range(LOOKS):
                time.sleep(LOOK_SECONDS)
                busy += any(_is_busy(process) for process in self._family())
            quiet = quiet + 1 if busy <= LOOKS // 2 else 0
        return since

    def cpu_seconds(self) -> float:
        """User and system time of its processes and servers, those included that have ended."""
        spent = 0.0
        for process in [*self._family(), *(psutil.Process(server.pid) for server in self.servers)]:
            with suppress(psutil.NoSuchProcess):
                spent += sum(process.cpu_times()[:4])
        return spent

    def memory_mib(self) -> float:
        """Resident memory of its processes, what they share counted once."""
        found = 0
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                found += process.memory_full_info().pss
        return found / MIB

    def store_mib(self) -> float:
        """What it keeps: in Redis, in MongoDB with indexes (uncompressed), in files."""
        return (self.store_bytes() - self.empty_bytes) / MIB

    def store_bytes(self) -> int:
        """The same, with what a fresh server takes."""
        found = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        for server in self.servers:
            if isinstance(server, servers.MongoServer):
                found += _mongo_bytes(server)
            if isinstance(server, servers.RedisServer):
                found += _redis_bytes(server)
        return found

    def log_end(self) -> str:
        """The end of what its processes wrote."""
        return self._log_path.read_text(errors="replace")[-2000:] if self._log_path.exists() else ""

    def _family(self) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for process in self.processes:
            with suppress(psutil.NoSuchProcess):
                found += [process, *process.children(recursive=True)]
        return found

    def _words(self, command: str) -> list[str]:
        return [word.format(**self.commands) for word in shlex.split(command)]

    @property
    def _log_path(self) -> Path:
        return self.folder.with_suffix(".log")

    @contextmanager
    def _log(self) -> Iterator[int]:
        descriptor = os.open(self._log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def site(peer: Peer, *, safe: bool = False) -> Iterator[Site]:
    """A fresh site of a peer; all its processes are gone at the end."""
    environment_folder = environments.prepare(peer)
    directory = environments.programs(peer, environment_folder)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rrcli-peer-"))) / "files"
        folder.mkdir()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RRCLI_")}
        environment |= {"PYTHONPATH": str(directory), "RRCLI_DATA_DIR": str(folder), "TZ": "UTC"}
        environment["PEER_SAFE"] = "1" if safe else "0"
        running: list[servers.Server] = []
        if peer.mongo:
            mongo = stack.enter_context(servers.mongod())
            environment["MONGO_URI"] = f"{mongo.uri}peer"
            running.append(mongo)
        if peer.redis:
            started = stack.enter_context(servers.redis_server())
            environment["REDIS_URL"] = environment["RQ_REDIS_URL"] = started.url
            running.append(started)
        commands = {
            "bin": str(environments.binaries(peer, environment_folder)),
            "programs": str(directory),
            "folder": str(folder),
        }
        place = Site(peer, folder, commands, directory, environment, running)
        place.empty_bytes = place.store_bytes()
        try:
            yield place
        finally:
            place.stop()


def _is_busy(process: psutil.Process) -> bool:
    try:
        return process.status() in {psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP}
    except psutil.NoSuchProcess:
        return False


def _mongo_bytes(server: servers.MongoServer) -> int:
    with server.client() as client:
        names = set(client.list_database_names()) - {"admin", "config", "local"}
        stats = [client[name].command("dbStats") for name in names]
    return int(sum(each["dataSize"] + each["indexSize"] for each in stats))


def _redis_bytes(server: servers.RedisServer) -> int:
    with redis.Redis(port=server.port) as client:
        return int(client.info("memory")["used_memory"])
