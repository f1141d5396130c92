"""Processes that supervisord starts end with it: an orphaned stack would hold the port and fire on."""

import os
import signal
import threading

CHECK_SECONDS = 1.0


def stop_with_supervisor() -> None:
    """Under supervisord (it sets SUPERVISOR_ENABLED), SIGTERM this process when its parent is gone."""
    if not os.environ.get("SUPERVISOR_ENABLED"):
        return
    threading.Thread(target=_watch, args=(os.getppid(),), name="supervisor-watch", daemon=True).start()


def _watch(parent: int) -> None:
    never = threading.Event()
    while os.getppid() == parent:
        never.wait(CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
