"""Whether the program of this container works: `healthcheck.py api|prequeuer|dispatcher|worker`.

The API is asked over HTTP. A daemon must have given a sign of life within the last fifteen seconds, from
this host. Exit code 0 or 1, with one line that says why.
"""

import os
import socket
import sys
from datetime import timedelta
from urllib.error import URLError
from urllib.request import urlopen

TIMEOUT_SECONDS = 3


def api() -> str:
    """What /healthz answered. Raises OSError when it did not."""
    url = f"http://127.0.0.1:{os.environ.get('API_PORT') or '8080'}/healthz"
    with urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
        return str(answer.read().decode())


def daemon(name: str) -> str:
    """When this container's daemon was seen. Raises LookupError when it was not, lately."""
    from rrcli.clock import SystemClock
    from rrcli.operations.status import HEARTBEAT_SECONDS
    from rrcli.repository.factory import open_repository
    from rrcli.settings import load

    now, host = SystemClock().now(), socket.gethostname()
    with open_repository(load().settings) as repository:
        seen = repository.heartbeats.list(now - timedelta(seconds=3 * HEARTBEAT_SECONDS))
    mine = [beat.seen_at for beat in seen if beat.daemon == name and beat.host == host]
    if not mine:
        raise LookupError(f"no sign of life of {name} on {host} within {3 * HEARTBEAT_SECONDS:g} s")
    return f"{name} was seen {(now - max(mine)).total_seconds():.1f} s ago"


def main(arguments: list[str]) -> int:
    """Run one check; its exit code."""
    if len(arguments) != 1 or arguments[0] not in ("api", "prequeuer", "dispatcher", "worker"):
        print("usage: healthcheck.py api|prequeuer|dispatcher|worker", file=sys.stderr)
        return 2
    try:
        print(api() if arguments[0] == "api" else daemon(arguments[0]))
    except (OSError, URLError, LookupError) as error:
        print(f"unhealthy: {error}")
        return 1
    except Exception as error:
        from rrcli.errors import SchedulerError

        if not isinstance(error, SchedulerError):
            raise
        print(f"unhealthy: {error.message}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
