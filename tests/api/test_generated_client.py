"""A client that openapi-python-client makes from docs/openapi.yml runs the original's six examples."""

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rrcli_api.docs import specification_path
from tests.api.test_examples import DAILY_BACKUP, UPDATED_BACKUP
from tests.api.test_server import SERVICE, running

NAME = "generated_rrule_client"
NOT_MADE = "PUT /api/calendars/{name}"
"""The one operation that the generator does not know: its body is an iCalendar file."""

WARNED = [NOT_MADE, "GET /docs/openapi.yml"]
"""All that it warns of; the second is made without a type for its answer, which is YAML."""


class Made:
    """The generated package, and a client of a running service."""

    def __init__(self, port: int) -> None:
        self.client = module("client").Client(
            base_url=f"http://127.0.0.1:{port}", raise_on_unexpected_status=True
        )
        self.models = module("models")

    def call(self, path: str, *args: Any, **more: Any) -> Any:
        """What an operation answers."""
        return module(f"api.{path}").sync(*args, client=self.client, **more)


def module(path: str) -> ModuleType:
    return importlib.import_module(f"{NAME}.{path}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("generated")
    output = generate(folder / NAME)
    assert re.findall(r"WARNING parsing (\S+ \S+)", output) == WARNED, output
    assert output.count("Endpoint will not be generated") == 1, output
    sys.path.insert(0, str(folder))
    try:
        with running(SERVICE, tmp_path_factory.mktemp("service")) as (_, port):
            made = Made(port)
            with made.client:
                yield made
    finally:
        sys.path.remove(str(folder))


def generate(target: Path) -> str:
    program = "from openapi_python_client.cli import app; app()"
    options = ["--path", str(specification_path()), "--meta", "none", "--output-path", str(target)]
    done = subprocess.run(
        [sys.executable, "-c", program, "generate", *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def created(made: Made, **more: Any) -> str:
    body = made.models.NewSchedule.from_dict(DAILY_BACKUP | more)
    answer = made.call("schedules.create_schedule", body=body)
    return str(answer.id)


def test_1_create_a_schedule(made: Made) -> None:
    assert len(created(made)) == 24


def test_2_update_it(made: Made) -> None:
    schedule_id = created(made)
    change = made.models.ScheduleChange.from_dict(UPDATED_BACKUP)
    answer = made.call("schedules.update_schedule", schedule_id, body=change)
    assert answer.message == "Schedule updated successfully."
    stored = made.call("schedules.get_schedule", schedule_id)
    assert (stored.name, stored.callback_url) == (UPDATED_BACKUP["name"], UPDATED_BACKUP["callback_url"])
    assert stored.headers.to_dict() == dict.fromkeys(DAILY_BACKUP["headers"], "********")


def test_3_delete_it(made: Made) -> None:
    schedule_id = created(made)
    answer = made.call("schedules.delete_schedule", schedule_id)
    assert answer.message == "Schedule and associated events deleted."
    gone = made.call("schedules.get_schedule", schedule_id)
    assert gone.error.code == "not_found"


def test_4_list_pending_events(made: Made) -> None:
    schedule_id = created(made)
    answer = made.call("events.list_pending_events", schedule_id, limit=5, page=1)
    assert (answer.page, answer.limit) == (1, 5)
    (event,) = answer.events
    assert (event.schedule_id, event.state, event.status[0].message) == (
        schedule_id,
        "ready_queue",
        "Event pre-queued for ready queue",
    )


def test_5_list_archived_events(made: Made) -> None:
    schedule_id = created(made)
    event = made.call("schedules.trigger_schedule", schedule_id)
    made.call("events.cancel_event", event.field_id)
    answer = made.call("events.list_event_history", schedule_id, limit=5, page=1)
    assert [(each.field_id, each.state) for each in answer.events] == [(event.field_id, "cancelled")]


def test_6_the_window_is_queued_at_once(made: Made) -> None:
    schedule_id = created(made, rrule="FREQ=MINUTELY")
    part = made.call("events.list_pending_events", schedule_id, limit=4, after="")
    assert len(part.events) == 4
    rest = made.call("events.list_pending_events", schedule_id, limit=100, after=part.next_)
    assert len(rest.events) >= 5
    assert rest.next_ is None


def test_a_batch_is_typed_too(made: Made) -> None:
    body = made.models.CreateSchedulesBody.from_dict({"schedules": [DAILY_BACKUP, UPDATED_BACKUP]})
    answer = made.call("schedules.create_schedules", body=body, idempotency_key="k-1")
    again = made.call("schedules.create_schedules", body=body, idempotency_key="k-1")
    assert [each.id for each in answer.schedules] == [each.id for each in again.schedules]
