"""What a run of a fault showed, as one JSON file that `report.py` puts into docs/reliability.md."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

LONG = os.environ.get("FAULTS") == "long"
"""`make faults` runs the long form and writes records; the ordinary test run only asserts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Figures of one run; `recovery_seconds` is None where nothing has to recover."""

    fault: str
    backend: str
    events: int
    doubles: int
    losses: int
    recovery_seconds: float | None
    test: str

    def write(self) -> None:
        """Into the folder that FAULTS_RECORDS names; nowhere when it is unset."""
        folder = os.environ.get("FAULTS_RECORDS")
        if folder:
            name = f"{self.fault}-{self.backend}".replace(" ", "-").replace("/", "-").lower()
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, f"{name}.json").write_text(json.dumps(asdict(self), indent=1) + "\n")
