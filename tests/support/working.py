"""Running a worker in a test: the real Sender, the test's clock, waits on the Sender's own signal."""

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rrcli.operations.context import Context
from rrcli_daemons.addresses import AddressPolicy
from rrcli_daemons.dispatcher import Dispatcher
from rrcli_daemons.sender import Sender
from rrcli_daemons.worker import Worker

STEPS = 500
STEP_SECONDS = 0.1


@contextmanager
def working(context: Context, instance: str = "worker-1") -> Iterator[Worker]:
    """A worker on the context; closed afterwards."""
    settings = context.settings.worker
    sender = Sender(
        clock=context.clock,
        policy=AddressPolicy.from_settings(settings),
        most=settings.count * settings.concurrency,
    )
    worker = Worker(context, sender, instance=instance, rng=lambda: 0.5)
    try:
        yield worker
    finally:
        worker.close()


def work_until(worker: Worker, context: Context, condition: Callable[[], bool]) -> None:
    """Run the worker until the condition holds; fails after a bounded number of steps."""
    for _ in range(STEPS):
        worker.run_once(context.now())
        if condition():
            return
        select.select(list(worker.sources), [], [], STEP_SECONDS)
    raise AssertionError("the worker never got there")


def dispatch(context: Context) -> None:
    """Move everything that is due to the worker queue."""
    dispatcher = Dispatcher(context)
    while (more := dispatcher.run_once(context.now())) is not None and more <= context.now():
        pass
