"""A secret given to a schedule appears nowhere but in the call: not in logs, answers, tables or errors."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import httpx

from rrcli.settings import Settings
from tests.support.receiver import receiver
from tests.support.stack import client, environment, free_port, running, wait_until

CANARY = "c4n4ry"
SECRET = "whsec_" + b64encode(f"{CANARY}-signing-secret-of-32-bytes".encode()).decode()
# As base64 the canary reads otherwise.
FORMS = (CANARY, SECRET.removeprefix("whsec_"))


def shows_none(text: str) -> bool:
    return not any(form in text for form in FORMS)


def cli(store: Settings, *arguments: str) -> str:
    """Everything that a command says, on both channels."""
    done = subprocess.run(
        [sys.executable, "-m", "rrcli", *arguments],
        env=environment(store),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_canary_leaves_by_the_call_alone(store: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        receiver() as target,
        running(
            store,
            log,
            *("api", "prequeuer", "dispatcher", "worker"),
            API_PORT=str(free_port()),
            API_WORKERS="1",
            LOG_LEVEL="debug",
            WORKER_MAX_RETRIES="0",
        ) as stack,
        client(stack) as http,
    ):
        said = [schedule_and_call(http, target.url("/hook").replace("http://", f"http://u:{CANARY}@"))]
        wait_until(lambda: len(target.requests) >= 1, what="the call")
        assert target.requests[0].headers["x-token"] == CANARY
        assert target.requests[0].path.endswith(f"?token={CANARY}")
        said.append(schedule_and_call(http, f"http://u:{CANARY}@127.0.0.1:1/?token={CANARY}", name="fails"))
        wait_until(lambda: ended(http) == 2, what="the end of both calls")
        said += answers(http)
        said += [cli(store, *line.split()) for line in COMMANDS]
        assert CANARY in cli(store, "schedule", "show", "canary", "--reveal")
    said.append(log.read_text())
    assert "http_request" in said[-1]
    assert "Callback failed" in said[-1]
    for text in said:
        assert shows_none(text), text


COMMANDS = (
    "schedule list -o json",
    "schedule show canary",
    "schedule show canary -o yaml",
    "schedule show fails -v",
    "schedule update canary --callback-url ftp://u:c4n4ry@h/ -o json",
    "schedule update canary --callback-url ftp://u:c4n4ry@h/",
    "schedule pause canary -o json",
    "events history canary",
    "events history fails -o json",
    "events pending -o json",
    "status",
    "config show",
)


def schedule_and_call(http: httpx.Client, url: str, name: str = "canary") -> str:
    """Make a schedule full of secrets and run it; what the service said."""
    made = http.post(
        "/api/schedules",
        json={
            "name": name,
            "rrule": "DTSTART:20900101T000000Z\nRRULE:FREQ=YEARLY",
            "callback_url": url if "?" in url else f"{url}?token={CANARY}",
            "headers": {"X-Token": CANARY, "Authorization": f"Bearer {CANARY}"},
            "secrets": [SECRET],
        },
    )
    assert made.status_code == 201, made.text
    triggered = http.post(f"/api/schedules/{made.json()['id']}/trigger")
    assert triggered.status_code == 201
    return made.text + triggered.text


def ended(http: httpx.Client) -> int:
    """How many events are in the archive."""
    schedules = http.get("/api/schedules").json()["schedules"]
    paths = [f"/api/schedules/{each['id']}/events/history" for each in schedules]
    return sum(len(http.get(path).json()["events"]) for path in paths)


def answers(http: httpx.Client) -> list[str]:
    """What the service says of it, rightly and wrongly asked."""
    listed = http.get("/api/schedules").json()["schedules"]
    paths = ["/api/schedules", "/api/events", "/readyz"]
    for each in listed:
        path = f"/api/schedules/{each['id']}"
        paths += [path, f"{path}/events/history", f"{path}/events/pending", f"{path}?reveal=true"]
    texts = [http.get(path).text for path in paths]
    path = f"/api/schedules/{listed[0]['id']}"
    for wrong in (
        {"callback_url": f"ftp://u:{CANARY}@h/"},
        {"header": {"X-Token": CANARY}},
        {"headers": {"X-Token": f"{CANARY}\r\n"}},
        {"secrets": [CANARY]},
        {"secret": CANARY},
    ):
        texts.append(http.patch(path, json=wrong).text)
    # What was read can be written again, and keeps what is stored.
    shown = http.get(path).json()
    kept = {name: shown[name] for name in ("callback_url", "headers", "secrets")}
    assert "***" in kept["callback_url"]
    assert http.patch(path, json=kept).status_code == 200
    assert http.patch(path, json={"callback_url": kept["callback_url"] + "&x=1"}).status_code == 422
    texts.append(json.dumps(kept))
    return texts
