"""Forged requests, end to end: a worker with a policy, a real receiver, and what the ledger says then."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pycurl
import pytest

from rrcli.core.models import Event, EventState
from rrcli.operations import events, schedules
from rrcli.operations.context import Context
from rrcli.repository.base import Repository
from rrcli.settings import Settings, WorkerSettings
from rrcli_daemons.http_call import Call, Transfer
from tests.support.clock import FakeClock
from tests.support.receiver import Answer, Receiver, receiver
from tests.support.sending import a_request, send, sending
from tests.support.working import dispatch, work_until, working

DENIED = WorkerSettings(deny_networks=("127.0.0.2/32",))
PUBLIC_ONLY = WorkerSettings(allow_private=False)
Ended = Callable[..., Event]


@pytest.fixture
def inside() -> Iterator[Receiver]:
    with receiver(host="127.0.0.2") as inside:
        yield inside


@pytest.fixture
def ended(repository: Repository, clock: FakeClock) -> Ended:
    """Runs a schedule once under a worker with these settings; the event as archived."""

    def run(worker_settings: WorkerSettings, url: str, **fields: object) -> Event:
        settings = replace(Settings(), worker=worker_settings)
        context = Context(repository=repository, clock=clock, settings=settings)
        rule = "DTSTART:20900101T000000Z\nRRULE:FREQ=DAILY"
        made = schedules.create(context, {"name": "x", "rrule": rule, "callback_url": url, **fields})
        event_id = events.trigger(context, made.id).id
        dispatch(context)
        with working(context) as worker:
            work_until(worker, context, lambda: events.get(context, event_id).state.final)
        return events.get(context, event_id)

    return run


def refused_at_once(event: Event, *words: str) -> None:
    """An error, after one attempt in spite of the retries that are left, that names the setting."""
    assert event.state is EventState.ERROR
    assert len(event.attempts) == 1
    message = event.status[-1].message
    assert message.endswith(": not tried again")
    for word in ("address refused: ", *words):
        assert word in message


def test_a_denied_network_ends_the_event_and_names_the_setting(ended: Ended, inside: Receiver) -> None:
    event = ended(DENIED, inside.url("/secret"))
    refused_at_once(event, "127.0.0.2 is in worker.deny_networks (127.0.0.2/32)")
    assert inside.connections == 0


def test_private_addresses_end_the_event_where_they_are_not_allowed(ended: Ended, inside: Receiver) -> None:
    event = ended(PUBLIC_ONLY, f"http://localhost:{inside.port}/")
    refused_at_once(event, "is not a public address, and worker.allow_private is false")
    assert inside.connections == 0


def test_a_redirect_inwards_ends_the_event(ended: Ended, inside: Receiver) -> None:
    with receiver() as outside:
        outside.answer_all(Answer(status=307, headers={"Location": inside.url("/secret")}))
        event = ended(DENIED, outside.url("/"), follow_redirects=True, headers={"X-Token": "t"})
        assert len(outside.requests) == 1
    refused_at_once(event, "worker.deny_networks")
    assert inside.connections == 0


def test_a_redirect_inwards_is_not_even_looked_at_unless_the_schedule_follows(
    ended: Ended, inside: Receiver
) -> None:
    with receiver() as outside:
        outside.answer_all(Answer(status=307, headers={"Location": inside.url("/secret")}))
        event = ended(DENIED, outside.url("/"))
    assert (event.state, event.attempts[0].status_code) == (EventState.ERROR, 307)
    assert inside.connections == 0


def test_a_proxy_of_the_environment_is_not_asked_to_go_where_we_may_not(
    ended: Ended, inside: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        refused_at_once(ended(DENIED, inside.url("/")))
        assert proxy.connections == 0


def test_a_name_that_leads_elsewhere_the_second_time_is_judged_by_where_it_leads(
    inside: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the answers of the name server change between two calls, to the same port."""
    outside = Receiver(host="127.0.0.1", tls=False)
    outside.port = inside.port
    with outside, sending(DENIED) as sender:
        outside.answer_all(Answer(headers={"Connection": "close"}))
        addresses = iter(["127.0.0.1", "127.0.0.2", "127.0.0.1"])
        prepare = Transfer.prepare

        def rebind(self: Transfer, call: Call, **more: Any) -> None:
            prepare(self, call, **more)
            place = f"rebind.test:{inside.port}"
            self.curl.setopt(pycurl.RESOLVE, [f"-{place}", f"{place}:{next(addresses)}"])

        monkeypatch.setattr(Transfer, "prepare", rebind)
        request = a_request(f"http://rebind.test:{inside.port}/")
        outcomes = [send(sender, request) for _ in range(3)]
    assert [outcome.status_code for outcome in outcomes] == [200, None, 200]
    assert outcomes[1].error == "address refused: 127.0.0.2 is in worker.deny_networks (127.0.0.2/32)"
    assert inside.connections == 0
