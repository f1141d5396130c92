"""HTTP/2 over TLS, where the receiver offers it: needs nginx."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from socket import create_connection, socket

import pytest

from rrcli_daemons.http_call import BODY_LIMIT_BYTES
from tests.support.receiver import CERTIFICATE, PRIVATE_KEY
from tests.support.sending import a_request, send, send_all, sending

NGINX = """
daemon off; worker_processes 1; error_log /dev/null crit; pid {folder}/pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl http2; ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{ return 200 "$server_protocol $request_method $connection"; }}
    location /big {{ set $kilobyte {kilobyte}; return 200 {large}; }}
  }}
}}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("needs nginx")
    folder = tmp_path_factory.mktemp("nginx")
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = Path(folder, "nginx.conf")
    settings = NGINX.format(
        folder=folder,
        port=port,
        certificate=CERTIFICATE,
        key=PRIVATE_KEY,
        kilobyte="k" * 1024,
        large="$kilobyte" * (4 * BODY_LIMIT_BYTES // 1024),
    )
    config.write_text(settings, encoding="utf-8")
    with subprocess.Popen(
        [nginx, "-c", str(config), "-e", "/dev/null"], stderr=subprocess.DEVNULL
    ) as process:
        try:
            _await(port)
            yield f"https://127.0.0.1:{port}"
        finally:
            process.terminate()


def _await(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


@pytest.mark.parametrize(("method", "body"), [("POST", b"{}"), ("POST", None), ("GET", None), ("PUT", b"")])
def test_http_2_is_used_where_it_is_offered(url: str, method: str, body: bytes | None) -> None:
    with sending(ca_file=str(CERTIFICATE)) as sender:
        outcome = send(sender, a_request(f"{url}/", method, body=body))
    assert outcome.error is None
    assert outcome.response.startswith(f"HTTP/2.0 {method} ")


def test_calls_at_once_share_a_connection_over_http_2(url: str) -> None:
    with sending(ca_file=str(CERTIFICATE)) as sender:
        send(sender, a_request(f"{url}/"))
        outcomes = send_all(sender, [a_request(f"{url}/")] * 50)
    assert len({outcome.response for outcome in outcomes}) == 1


def test_an_answer_past_the_limit_counts_by_its_status_over_http_2(url: str) -> None:
    with sending(ca_file=str(CERTIFICATE)) as sender:
        for _ in range(3):
            outcome = send(sender, a_request(f"{url}/big", "GET"))
            assert (outcome.status_code, outcome.error) == (200, None)
