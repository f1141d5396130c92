"""Requests over kept connections, as cheaply as Python can: prepared bytes, one epoll loop, its own process.

`python -m tests.benchmarks.http_load` reads a job as JSON from stdin and prints what it saw as JSON.
"""

import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

TIMEOUT_SECONDS = 300
ONE_CONNECTION = 50
"""Requests over one connection. It stays with the worker process that accepted it: with connections that last
for ever, a round would measure how they happened to be shared out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """How long it took, and how many answers there were of each status."""

    seconds: float
    statuses: dict[str, int]


def load(port: int, requests: Sequence[str], count: int, connections: int) -> Seen:
    """Send `count` requests, taken from the list in turn, from a process of its own."""
    job = {"port": port, "requests": list(requests), "count": count, "connections": connections}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.http_load"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_SECONDS,
    )
    return Seen(**json.loads(done.stdout))


def request(method: str, path: str, body: str = "", **headers: str) -> str:
    """The text of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
    return "\r\n".join([*lines, "", body])


class _Connection:
    """One request at a time; opened again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self.left = ONE_CONNECTION
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def answer(self) -> str | None:
        """The status, once the whole answer is here."""
        self._received += self.socket.recv(1 << 20)
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return None
        self._received = b""
        return head[9:12].decode()


def _run(port: int, requests: Sequence[bytes], count: int, connections: int) -> Seen:
    statuses: dict[str, int] = {}
    sent = done = 0
    started = time.perf_counter()
    opened = [_Connection(port) for _ in range(min(connections, count))]
    by_number = {each.socket.fileno(): each for each in opened}
    with select.epoll() as poll:
        for each in opened:
            poll.register(each.socket, select.EPOLLIN)
            each.socket.sendall(requests[sent % len(requests)])
            sent += 1
        while done < count:
            for number, _ in poll.poll(30):
                status = by_number[number].answer()
                if status is None:
                    continue
                done += 1
                statuses[status] = statuses.get(status, 0) + 1
                if sent == count:
                    continue
                used = by_number[number]
                used.left -= 1
                if not used.left:
                    poll.unregister(number)
                    used.socket.close()
                    used = _Connection(port)
                    by_number[used.socket.fileno()] = used
                    poll.register(used.socket, select.EPOLLIN)
                used.socket.sendall(requests[sent % len(requests)])
                sent += 1
    return Seen(seconds=time.perf_counter() - started, statuses=statuses)


def main() -> None:
    """Do the job from stdin."""
    job = json.load(sys.stdin)
    prepared = [text.encode() for text in job["requests"]]
    seen = _run(job["port"], prepared, job["count"], job["connections"])
    print(json.dumps({"seconds": seen.seconds, "statuses": seen.statuses}))


if __name__ == "__main__":
    main()
