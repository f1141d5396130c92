"""A Sender as a test uses it: send, wait on its descriptor, have the outcomes."""

import select
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rrcli.clock import Clock, SystemClock
from rrcli.core.request import Request
from rrcli.core.retry import Outcome
from rrcli.settings import WorkerSettings
from rrcli_daemons.addresses import AddressPolicy
from rrcli_daemons.sender import Sender

PATIENCE_SECONDS = 20.0


def a_request(
    url: str,
    method: str = "POST",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_seconds: float = 10.0,
    follow_redirects: bool = False,
) -> Request:
    """A request with the defaults of a test."""
    return Request(
        method=method,
        url=url,
        headers=headers or {},
        body=body,
        timeout_seconds=timeout_seconds,
        follow_redirects=follow_redirects,
    )


@contextmanager
def sending(
    worker: WorkerSettings | None = None,
    *,
    clock: Clock | None = None,
    most: int = 1000,
    ca_file: str | None = None,
) -> Iterator[Sender]:
    """A Sender with the policy of `worker`, closed at the end."""
    policy = AddressPolicy.from_settings(worker or WorkerSettings())
    sender = Sender(clock=clock or SystemClock(), policy=policy, most=most, ca_file=ca_file)
    try:
        yield sender
    finally:
        sender.close()


def collect(sender: Sender, count: int) -> list[tuple[str, Outcome]]:
    """The next `count` outcomes. Raises TimeoutError when they do not come."""
    collected: list[tuple[str, Outcome]] = []
    while len(collected) < count:
        if not select.select([sender.fileno()], [], [], PATIENCE_SECONDS)[0]:
            raise TimeoutError(f"{len(collected)} of {count} calls ended within {PATIENCE_SECONDS:g} s")
        collected += sender.collect()
    return collected


def send(sender: Sender, request: Request) -> Outcome:
    """The outcome of one call."""
    return send_all(sender, [request])[0]


def send_all(sender: Sender, requests: Sequence[Request]) -> list[Outcome]:
    """The outcomes of calls made at once, in the order of the requests."""
    sender.submit([(str(number), request) for number, request in enumerate(requests)])
    outcomes = dict(collect(sender, len(requests)))
    return [outcomes[str(number)] for number in range(len(requests))]
