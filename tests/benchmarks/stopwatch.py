"""A receiver that notes when the first byte of each call came, in a process of its own.

What it noted is written when it ends: a line for each call, with seconds since the epoch, the schedule and
the nominal time as the call's headers say.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rrcli.clock import SystemClock
from tests.support.stack import free_port

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_BODY = b'{"job": "report", "tenant": 42}'


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call as it came in: its first byte, in seconds since the epoch, and whose it is."""

    came: float
    schedule_id: str
    run_time: datetime


class Stopwatch:
    """The running receiver; `calls` ends it."""

    def __init__(self, file: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/hook"
        self._file = file
        command = [sys.executable, "-m", "tests.benchmarks.stopwatch", str(port), str(file)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "the receiver does not start"

    def calls(self) -> list[Call]:
        """All calls so far; ends the receiver."""
        self.close()
        lines = self._file.read_text(encoding="utf-8").splitlines()
        return [_call(*line.split()) for line in lines]

    def close(self) -> None:
        """End the receiver; safe twice."""
        self._process.terminate()
        self._process.communicate(timeout=30)


@contextmanager
def stopwatch(folder: Path) -> Iterator[Stopwatch]:
    """A running receiver; what it notes goes to `folder`."""
    receiver = Stopwatch(folder / f"calls-{free_port()}")
    try:
        yield receiver
    finally:
        receiver.close()


def _call(came: str, schedule_id: str, run_time: str) -> Call:
    return Call(came=float(came), schedule_id=schedule_id, run_time=datetime.fromisoformat(run_time))


class _Noting(asyncio.Protocol):
    """Keeps the head of each call as it came: reading it is left for the end."""

    noted: list[tuple[datetime, bytes]]

    def __init__(self, noted: list[tuple[datetime, bytes]]) -> None:
        self._clock = SystemClock()
        self._received = b""
        self.noted = noted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._received:
            self._began = self._clock.now()
        self._received += data
        if self._received.endswith(_BODY):
            self.noted.append((self._began, self._received))
            self._received = b""
            self._transport.write(_ANSWER)


async def _serve(port: int, file: Path) -> None:
    noted: list[tuple[datetime, bytes]] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Noting(noted), "127.0.0.1", port, backlog=4096)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    async with server:
        print("ready", flush=True)
        await ended.wait()
    with file.open("w", encoding="utf-8") as out:
        for came, head in noted:
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n") if b": " in line)
            schedule, run_time = fields[b"x-rrule-schedule-id"], fields[b"x-rrule-run-time"].upper()
            out.write(f"{came.timestamp()} {schedule.decode()} {run_time.decode()}\n")


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
