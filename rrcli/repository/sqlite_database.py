"""The embedded store's file: connections, transactions, schema, and driver errors as domain errors."""

import errno
import fcntl
import logging
import os
import re
import sqlite3
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from rrcli.errors import SchedulerError, StoreCorrupt, StoreUnavailable, Unstorable
from rrcli.repository import sqlite_schema

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
_BUSY_TIMEOUT_SECONDS = 10.0
_PING_TIMEOUT_SECONDS = 2.0
_LOOK_SECONDS = 0.001
_MOST_ROWS = 128
"""In one statement; sixteen values each are far below what SQLite takes at most (32,766)."""

_VALUES = re.compile(r"VALUES (\([^)]*\))")
# RETURNING is the newest thing that the statements use.
_OLDEST_SQLITE = (3, 35)
_SETTINGS = """
PRAGMA synchronous = NORMAL;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -16000;
PRAGMA journal_size_limit = 67108864;
PRAGMA wal_autocheckpoint = 0;
"""
_LOG_BYTES = 67_108_864
"""Beyond it the log is moved into the database. When that is done it begins anew, and is cut to this size.

The longer it is, the fewer pages are moved for an event: the same ones are written again and again.
"""

_MOST_LOG_BYTES = 4 * _LOG_BYTES
"""Beyond it whoever writes moves it, also who is in a hurry."""

_AGAIN_BYTES = 8_388_608
"""By so much it grows before one tries again, when somebody read from it or wrote on meanwhile."""

_CORRUPT = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR}
_HINTS = {
    sqlite3.SQLITE_BUSY: "Another process holds the file; try again, or look for one that hangs.",
    sqlite3.SQLITE_FULL: "The disk is full: make room and try again; nothing was lost.",
    sqlite3.SQLITE_READONLY: "Let this user write to the file and its folder.",
    sqlite3.SQLITE_CANTOPEN: "Check that the file exists and that this user may read and write it.",
    sqlite3.SQLITE_IOERR: "The disk reported an error: see the system's log.",
}
_RESTORE = "Move the file away and restore a backup, or name another folder with RRCLI_DATA_DIR."


def statements(name: str) -> Mapping[str, str]:
    """The statements of a `.sql` file beside this module, by the name in the `-- name:` line above each."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in text.split("-- name: ")[1:])
    return MappingProxyType({title.strip(): body.strip() for title, _, body in parts})


def write_rows(connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[object]]) -> int:
    """Run an INSERT for all rows, as many as possible in one step; how many were changed.

    For each step of SQLite a thread gives up the interpreter and waits for it again: under the write lock,
    with two other busy threads, that takes longer than the writing. `statement` has `VALUES (?, …)`.
    """
    changed = begin = 0
    most = _MOST_ROWS
    while begin < len(rows):
        while most > len(rows) - begin:
            most //= 2
        values = [value for row in rows[begin : begin + most] for value in row]
        changed += connection.execute(_with_rows(statement, most), values).rowcount
        begin += most
    return changed


@lru_cache(maxsize=128)
def _with_rows(statement: str, number: int) -> str:
    """The statement for so many rows: powers of two, so that few are ever prepared."""
    return _VALUES.sub(lambda found: "VALUES " + ", ".join([found[1]] * number), statement, count=1)


def _sync(path: str) -> None:
    """Wait until the disk has what was written to a file or folder."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _require_sqlite() -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreUnavailable(
            f"This Python has SQLite {sqlite3.sqlite_version}; the embedded store needs 3.35 or later.",
            hint="Use a Python built with a newer SQLite, or set mongo.uri.",
        )


class _Pool:
    """Idle connections of one process, and whose turn it is to write."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.idle: deque[sqlite3.Connection] = deque()
        self.writing: deque[sqlite3.Connection] = deque()
        # Threads take turns here: SQLite would let the second one sleep and look again, for too long.
        self.turn = Lock()
        self.is_safe = False
        """Whether the log itself, which may be new, has its place in the folder for good."""

        self.unmoved_bytes = 0
        """How long the log was when not all of it could be moved: that is tried again when it has grown."""


class Database:
    """One SQLite file, used by any number of threads: each operation borrows a connection of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._pool = _Pool()
        self._inherited: list[_Pool] = []
        self._closed = False

    def init(self) -> None:
        """Make the folder (0700), the file (0600) and the tables where they do not exist; safe to repeat.

        Raises StoreUnavailable when the place cannot be written, StoreCorrupt when the file is not a
        database of this product, of a newer version, or of one before the release whose tables are others.
        Neither changes anything.
        """
        _require_sqlite()
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_file()
            with self._borrowed() as connection:
                if self._version(connection) == 0:
                    with self._alone():
                        self._make_schema(connection)
                else:
                    self._complete(connection)
        except OSError as error:
            raise StoreUnavailable(
                f"The store {self.path} cannot be opened: {error.strerror or error}.",
                hint="Let this user write there, or name another folder with RRCLI_DATA_DIR.",
            ) from error

    def _make_file(self) -> None:
        """Make the file with its mode, or see that it may be used.

        One that exists is never opened here: closing it would drop the locks that SQLite holds on it in this
        process, and another process would then remove the log from under us (sqlite.org/howtocorrupt, 2.2).
        """
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)) from None
            if not os.access(self.path, os.R_OK | os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None

    def ping(self) -> None:
        """Open the file anew: a connection that is already open would not notice that it has gone."""
        with self._translated():
            connection = self._connect(_PING_TIMEOUT_SECONDS)
            try:
                connection.execute("PRAGMA user_version").fetchone()
            finally:
                connection.close()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection for single SELECTs, each seeing the newest committed state."""
        with self._borrowed() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the write lock from its start; undone when the block raises.

        When it is not `durable`, a loss of power may undo it together with all that came after it, but never
        without that; a crash of the process undoes nothing (sqlite.org/pragma.html#pragma_synchronous, WAL).
        So it is for steps that are done again from where the log ends: the next durable one waits for the
        disk for all of them. It does so after it has given the lock back, so that nobody else waits, too.
        """
        pool = self._own_pool()
        with pool.turn, self._borrowed(writing=True) as connection, self._transaction(connection):
            yield connection
        if durable:
            self._wait_for_disk(pool)
        self.tidy(_LOG_BYTES if durable else _MOST_LOG_BYTES)

    def tidy(self, most_bytes: int = _LOG_BYTES) -> None:
        """Move the log into the database once it is that long ("checkpoint").

        SQLite itself would do so in whatever write is next, and most are steps on the way to a call. The log
        begins anew only when all of it has been moved, also what others write meanwhile.
        """
        pool, size = self._own_pool(), self._log_bytes()
        if size <= _LOG_BYTES:
            pool.unmoved_bytes = 0
        again = pool.unmoved_bytes + _AGAIN_BYTES if pool.unmoved_bytes else 0
        if size <= max(most_bytes, again):
            return
        pool.unmoved_bytes = size
        # What was written stays written, as after SQLite's own checkpoints that fail: on a full disk, say.
        with suppress(StoreUnavailable), self._borrowed() as connection:
            busy, logged, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            # Where it is busy, another process is at it.
            if not busy and logged == moved:
                pool.unmoved_bytes = 0

    def _log_bytes(self) -> int:
        try:
            return os.stat(f"{self.path}-wal").st_size
        except FileNotFoundError:
            return 0

    def _wait_for_disk(self, pool: _Pool) -> None:
        """What has been committed survives a loss of power when this returns.

        As `PRAGMA synchronous = FULL` would have it, but that waits under the write lock. What has been moved
        from the log into the database meanwhile had to be safe for that; the last one to close moves all.
        """
        try:
            _sync(f"{self.path}-wal")
            if not pool.is_safe:
                _sync(str(self.path.parent))
                pool.is_safe = True
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreUnavailable(
                f"The store {self.path} cannot be written: {error.strerror or error}.",
                hint=_HINTS[sqlite3.SQLITE_IOERR],
            ) from error

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        self._begin(connection)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # Some failures (a full disk) have ended the transaction already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Take the write lock, which another process may hold for some milliseconds.

        SQLite itself would look for it more and more rarely, at last every 0.1 s: whoever writes often would
        always be there first.
        """
        for _ in range(round(_BUSY_TIMEOUT_SECONDS / _LOOK_SECONDS)):
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
            else:
                return
        connection.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close the connections of this process; one that is in use closes when it is given back."""
        self._closed = True
        pool = self._own_pool()
        for idle in (pool.idle, pool.writing):
            with suppress(IndexError):
                while True:
                    idle.pop().close()

    @contextmanager
    def _borrowed(self, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection; one for `writing` waits for no lock longer than `_LOOK_SECONDS`."""
        pool = self._own_pool()
        idle = pool.writing if writing else pool.idle
        with self._translated():
            try:
                connection = idle.pop()
            except IndexError:
                connection = self._connect(_BUSY_TIMEOUT_SECONDS)
                if writing:
                    connection.execute(f"PRAGMA busy_timeout = {_LOOK_SECONDS * 1000:.0f}")
            try:
                yield connection
            finally:
                idle.append(connection)
                if self._closed:
                    self.close()

    def _own_pool(self) -> _Pool:
        """The pool of this process; a connection that came through a fork is kept, but never touched."""
        pool = self._pool
        if pool.pid != os.getpid():
            self._inherited.append(pool)
            pool = self._pool = _Pool()
        return pool

    def _connect(self, busy_seconds: float) -> sqlite3.Connection:
        """A new connection. The file must exist: one that was deleted is not silently begun anew."""
        if self._closed:
            raise StoreUnavailable(f"The store {self.path} has been closed.")
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",
            uri=True,
            timeout=busy_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.executescript(_SETTINGS)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Make the schema in one process at a time: turning WAL on would fail at once, not wait."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _version(self, connection: sqlite3.Connection) -> int:
        """The schema version of the file, 0 when it has none. Raises StoreCorrupt on a newer one."""
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise StoreCorrupt(
                f"The store {self.path} has schema version {version}; this program knows {SCHEMA_VERSION}.",
                hint="Install the version of rrule-scheduler that wrote it, or a newer one.",
            )
        return int(version)

    def _make_schema(self, connection: sqlite3.Connection) -> None:
        # Another process may have made it while this one waited.
        if self._version(connection) == 0:
            self._require_empty(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            with self._transaction(connection):
                for statement in sqlite_schema.steps():
                    connection.execute(statement)

    def _complete(self, connection: sqlite3.Connection) -> None:
        """Make the indexes that are missing: dropped, or of a development version that did not have them.

        Said in the log: somebody dropped them, or something did. Raises StoreCorrupt when tables or columns
        are missing.
        """
        if lacking := sqlite_schema.lacking(connection):
            raise StoreCorrupt(
                f"The store {self.path} was made by a version before the release: it lacks "
                f"{', '.join(lacking)}.",
                hint="Export with that version (rrcli export), move the file away, and apply (rrcli apply).",
            )
        if sqlite_schema.repairs(connection):
            with self._transaction(connection):
                # Another process may have made them while this one waited.
                mended = sqlite_schema.repairs(connection)
                for drop, create in mended.values():
                    connection.execute(drop)
                    connection.execute(create)
            if mended:
                log.warning(
                    "The store lacked what it is read by, and has it again: %s",
                    ", ".join(mended),
                    extra={"action": "indexes_made_anew"},
                )

    def _require_empty(self, connection: sqlite3.Connection) -> None:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables:
            raise StoreCorrupt(f"The file {self.path} is the database of another program.", hint=_RESTORE)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            # A mistake of this program, which says nothing about the store.
            raise
        except sqlite3.Error as error:
            raise self._domain_error(error) from error
        except (UnicodeEncodeError, OverflowError) as error:
            raise Unstorable(error) from error

    def _domain_error(self, error: sqlite3.Error) -> SchedulerError:
        # The low byte is the kind of error, the rest its details.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _CORRUPT:
            return StoreCorrupt(f"The store {self.path} cannot be read: {error}.", hint=_RESTORE)
        return StoreUnavailable(f"The store {self.path} cannot be used: {error}.", hint=_HINTS.get(code))
