"""A receiver that costs little, in its own process: nginx where it is installed, else a small server."""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, socket

NGINX = """
daemon off; worker_processes 1; error_log /dev/null crit; pid {folder}/pid;
events {{ worker_connections 4096; }}
http {{
  {log} keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ {listen} location / {{ return 200 "ok"; }} }}
}}
"""


@contextmanager
def target(
    addresses: Sequence[str] = ("127.0.0.1",), *, log: Path | None = None, log_format: str = ""
) -> Iterator[str]:
    """A quick receiver in its own process; yields its URL at the first of the addresses it listens on.

    With `log` each request is a line there, in nginx's `log_format`. Raises FileNotFoundError without nginx.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        nginx = shutil.which("nginx")
        if nginx is not None:
            config = Path(folder, "nginx.conf")
            listen = " ".join(f"listen {address}:{port} backlog=4096;" for address in addresses)
            access = f"log_format line '{log_format}'; access_log {log} line buffer=64k flush=50ms;"
            filled = NGINX.format(folder=folder, listen=listen, log=access if log else "access_log off;")
            config.write_text(filled, encoding="utf-8")
            command = [nginx, "-c", str(config), "-e", "/dev/null"]
        elif log is not None:
            raise FileNotFoundError("nginx is not installed, and only it can log each request")
        else:
            command = [sys.executable, "-m", "tests.benchmarks.target", str(port), *addresses]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                _await_port(addresses[0], port)
                yield f"http://{addresses[0]}:{port}/hook"
            finally:
                process.terminate()


class _Quick(asyncio.Protocol):
    """Answers every request once its body is there, and looks at nothing else."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            head, end, body = self._received.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
            size = int(length[1]) if length else 0
            if not end or len(body) < size:
                return
            self._received = body[size:]
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def _serve(port: int, addresses: Sequence[str]) -> None:
    server = await asyncio.get_running_loop().create_server(_Quick, addresses, port, backlog=4096)
    await server.serve_forever()


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(address: str, port: int) -> None:
    until = time.perf_counter() + 10
    while True:
        try:
            create_connection((address, port), timeout=1).close()
            return
        except OSError:
            if time.perf_counter() > until:
                raise
            time.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2:]))
