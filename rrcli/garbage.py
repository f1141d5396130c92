"""Python's search for cycles, set for processes that make and drop records without end."""

import gc

_AFTER = (20_000, 20, 20)
"""Records come and go by the thousand and hold no cycles: at Python's default of 700 new objects, looking for
cycles among them takes an eighth of a daemon's time, and more where many parsed rules are kept."""


def search_seldom() -> None:
    """What is there by now is never searched again, and what comes is searched seldom.

    For a process that has loaded its modules and is going to stay; after a fork, in the child.
    """
    gc.freeze()
    gc.set_threshold(*_AFTER)
