"""A schedule whose secrets no key opens: its events end, with the reason; the others are called."""

from dataclasses import replace

from rrcli.core.models import EventState
from rrcli.operations import events, schedules
from rrcli.operations.context import Context
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.support.clock import FakeClock
from tests.support.receiver import receiver
from tests.support.working import dispatch, work_until, working

KEYS = ("b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZCE=", "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE=")


def test_an_event_that_cannot_be_decrypted_ends_and_stops_no_other(store: Settings, clock: FakeClock) -> None:
    def opened(key: str) -> Context:
        settings = replace(store, security=replace(store.security, encryption_key=(key,)))
        return Context(repository=open_repository(settings), clock=clock, settings=settings)

    with receiver() as target:
        first, second = map(opened, KEYS)
        with first.repository, second.repository:
            first.repository.init()
            fields = {
                "rrule": "DTSTART:20900101T000000Z\nRRULE:FREQ=DAILY",
                "callback_url": target.url("/"),
                "headers": {"X-Token": "t0k3n"},
            }
            lost = schedules.create(first, {"name": "lost", **fields})
            fine = schedules.create(second, {"name": "fine", **fields})
            ended = [events.trigger(second, each.id).id for each in (lost, fine)]
            dispatch(second)
            find = second.repository.events.find
            with working(second) as worker:
                work_until(worker, second, lambda: all((e := find(id)) and e.state.final for id in ended))
            states = [events.get(second, id) for id in ended]
    assert [each.state for each in states] == [EventState.ERROR, EventState.COMPLETED]
    assert f"Schedule {lost.id} (lost) has values that cannot be decrypted (headers.X-Token)" in (
        states[0].status[-1].message
    )
    assert [request.headers["x-token"] for request in target.requests] == ["t0k3n"]
