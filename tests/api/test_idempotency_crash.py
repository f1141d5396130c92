"""A create whose answer is lost, or whose service is killed: sent again under its key, it is made once."""

import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest

from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.support.lossy_proxy import lossy_proxy
from tests.support.stack import client, free_port, running, wait_until

GOOD = {"name": "Backup", "rrule": "FREQ=MINUTELY", "callback_url": "http://127.0.0.1:9/"}
PATH = "/api/schedules"


def post(http: httpx.Client, key: str) -> httpx.Response:
    return http.post(PATH, json=GOOD, headers={"Idempotency-Key": key})


def test_a_create_whose_reply_was_lost_is_found_again(store: Settings, tmp_path: Path) -> None:
    port = free_port()
    with running(store, tmp_path / "log", "api", API_PORT=str(port)) as stack, client(stack) as http:
        with (
            lossy_proxy("127.0.0.1", port) as proxy,
            httpx.Client(base_url=f"http://{proxy.address}") as lossy,
        ):
            proxy.lose_next_reply()
            with pytest.raises(httpx.TransportError):
                post(lossy, "lost")
            again = post(lossy, "lost")
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
        assert [each["id"] for each in http.get(PATH).json()["schedules"]] == [again.json()["id"]]


def test_a_service_that_is_killed_in_the_middle_makes_no_second_schedule(
    store: Settings, tmp_path: Path
) -> None:
    """Killed at some moment of many creates; each is sent again, under its key, until it has its answer."""
    keys = [f"key-{number}" for number in range(300)]
    made: dict[str, str] = {}
    with running(store, tmp_path / "log", "api", API_PORT=str(free_port()), API_WORKERS="1") as stack:
        with client(stack) as http:
            sender = threading.Thread(target=_send_all, args=(http, keys, made))
            sender.start()
            wait_until(lambda: len(made) >= 5, what="five creates")
            _kill_all(stack.processes["api"].pid)
            stack.kill("api")
            sender.join(30)
        assert len(made) < len(keys)
        tried = keys[: len(made) + 3]
        stack.start("api")
        with client(stack) as http:
            for key in tried:
                answer = _until_answered(http, key)
                assert made.setdefault(key, answer.json()["id"]) == answer.json()["id"]
    with open_repository(store) as repository:
        stored = repository.schedules.find(limit=1000)
    assert sorted(each.id for each in stored.items) == sorted(made.values())


def _kill_all(pid: int) -> None:
    """gunicorn's workers, too."""
    for child in psutil.Process(pid).children(recursive=True):
        child.kill()


def _send_all(http: httpx.Client, keys: list[str], made: dict[str, str]) -> None:
    try:
        for key in keys:
            made[key] = post(http, key).json()["id"]
    except httpx.TransportError:
        return


def _until_answered(http: httpx.Client, key: str) -> httpx.Response:
    """One that was under way when its service died is held for a while."""
    deadline = time.monotonic() + 60
    while (answer := post(http, key)).status_code == 409 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert answer.status_code == 201, answer.text
    return answer
