"""SIGKILL of a random daemon, again and again, under load."""

import random
from pathlib import Path
from threading import Event as Pause

from rrcli.settings import Settings
from tests.faults.running import LONG, TWO_OF_EACH, backend_of, load
from tests.support.receiver import Receiver

SEED = 4
EVERY_SECONDS = 0.2
SECONDS = 60 if LONG else 4
KILLS = int(SECONDS / EVERY_SECONDS)


def test_killing_random_daemons_again_and_again_loses_nothing(
    store: Settings, target: Receiver, tmp_path: Path
) -> None:
    choose = random.Random(SEED)
    with load(store, target, tmp_path / "log", seconds=SECONDS) as under_load:
        under_load.wait_for_calls(1)
        for _ in range(KILLS):
            Pause().wait(EVERY_SECONDS)
            under_load.kill(choose.choice(TWO_OF_EACH))
        under_load.over()
        under_load.settle("SIGKILL of a random daemon every 200 ms", backend_of(store))
