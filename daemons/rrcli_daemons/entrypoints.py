"""From settings to a running daemon."""

import logging
import resource
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

from rrcli import garbage
from rrcli import log as logs
from rrcli.clock import SystemClock
from rrcli.errors import StoreUnavailable
from rrcli.operations.context import Context
from rrcli.repository.base import Repository
from rrcli.repository.factory import open_repository
from rrcli.settings import Loaded, Settings
from rrcli.supervised import stop_with_supervisor
from rrcli_daemons import measured
from rrcli_daemons.loop import OUTAGE_WAIT_SECONDS, Daemon, Loop, new_instance

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0005
"""Python's default of 5 ms would halve the calls per second while the worker's own thread is busy."""


def run(name: str, loaded: Loaded) -> None:
    """Run one daemon in the foreground until it is told to stop. Raises KeyError for an unknown name."""
    settings = loaded.settings
    logs.setup(settings.log.level, settings.log.format)
    stop_with_supervisor()
    with _open(settings) as repository:
        context = Context(repository=repository, clock=SystemClock(), settings=settings)
        _RUNNERS[name](context)


def _open(settings: Settings) -> Repository:
    """The store; a folder or file that cannot be used yet is waited for, as the loop waits for servers."""
    away = False
    while True:
        try:
            repository = open_repository(settings)
        except StoreUnavailable as error:
            if not away:
                log.warning("Waiting for the store: %s", error.message, extra={"action": "store_away"})
            away = True
            threading.Event().wait(OUTAGE_WAIT_SECONDS[1])
        else:
            if away:
                log.info("The store is back", extra={"action": "store_back"})
            return repository


def _run_prequeuer(context: Context) -> None:
    from rrcli_daemons.prequeuer import Prequeuer

    _loop(context, Prequeuer(context), new_instance()).run()


def _run_dispatcher(context: Context) -> None:
    from rrcli_daemons.dispatcher import Dispatcher

    _loop(context, Dispatcher(context), new_instance()).run()


def _run_worker(context: Context) -> None:
    """Calls run on a thread beside the store's: it must not wait long for its turn, nor for descriptors."""
    from rrcli_daemons.addresses import AddressPolicy
    from rrcli_daemons.sender import Sender
    from rrcli_daemons.worker import Worker

    settings = context.settings.worker
    sender = Sender(
        clock=context.clock,
        policy=AddressPolicy.from_settings(settings),
        most=settings.count * settings.concurrency,
        ca_file=settings.ca_file,
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    instance = new_instance()
    worker = Worker(context, sender, instance=instance)
    try:
        _loop(context, worker, instance).run()
    finally:
        try:
            worker.close()
        except StoreUnavailable as error:
            log.warning("Claims return when the lease runs out: %s", error.message)


def _loop(context: Context, daemon: Daemon, instance: str) -> Loop:
    grace = timedelta(seconds=context.settings.worker.grace_seconds)
    loop = Loop(daemon, context.repository, context.clock, instance=instance, grace=grace)
    loop.handle_signals()
    garbage.search_seldom()
    measured.serve(daemon, context.settings.metrics)
    return loop


_RUNNERS: dict[str, Callable[[Context], None]] = {
    "prequeuer": _run_prequeuer,
    "dispatcher": _run_dispatcher,
    "worker": _run_worker,
}

NAMES = tuple(_RUNNERS)
