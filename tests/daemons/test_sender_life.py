"""The life of a Sender: threads, abort, close, and an error where none should be."""

import os
import select
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from rrcli.clock import SystemClock
from rrcli.core.request import Request
from rrcli.operations.handover import AHEAD
from rrcli_daemons import http_loop
from rrcli_daemons.addresses import AddressPolicy
from rrcli_daemons.sender import Sender
from tests.support.clock import FakeClock
from tests.support.receiver import Answer, Fault, receiver
from tests.support.sending import a_request, collect, send, sending

NEVER = Answer(fault=Fault.NEVER)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def is_readable(sender: Sender) -> bool:
    return bool(select.select([sender.fileno()], [], [], 0)[0])


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def test_nothing_is_readable_before_anything_ended() -> None:
    with receiver() as target, sending() as sender:
        target.answer_all(NEVER)
        assert sender.collect() == []
        assert not is_readable(sender)
        sender.submit([("a", a_request(target.url()))])
        target.wait_for(1)
        assert not is_readable(sender)
        assert sender.collect() == []
        assert sender.in_flight == 1


def test_the_descriptor_is_readable_until_all_is_collected() -> None:
    with receiver() as target, sending() as sender:
        sender.submit([(key, a_request(target.url())) for key in "ab"])
        assert sorted(key for key, _ in collect(sender, 2)) == ["a", "b"]
        assert not is_readable(sender)
        assert sender.in_flight == 0


def test_an_ended_call_is_in_flight_until_it_is_collected() -> None:
    with receiver() as target, sending() as sender:
        sender.submit([("a", a_request(target.url()))])
        assert select.select([sender.fileno()], [], [], 10)[0]
        assert sender.in_flight == 1
        assert len(sender.collect()) == 1
        assert sender.in_flight == 0


def test_submitting_nothing_is_nothing() -> None:
    with sending() as sender:
        sender.submit([])
        assert sender.in_flight == 0
        assert sender.abort() == []


def test_many_threads_submit_to_one_sender() -> None:
    keys = [f"{thread} {number}" for thread in range(8) for number in range(50)]
    with receiver() as target, sending() as sender:
        with ThreadPoolExecutor(8) as pool:
            for key in keys:
                pool.submit(sender.submit, [(key, a_request(target.url()))])
        assert sorted(key for key, _ in collect(sender, len(keys))) == sorted(keys)


def test_abort_gives_back_what_had_not_ended_and_nothing_else() -> None:
    with receiver() as target, sending() as sender:
        target.answer("/never", NEVER)
        sender.submit([("done", a_request(target.url("/")))])
        assert select.select([sender.fileno()], [], [], 10)[0]
        sender.submit([(f"never {number}", a_request(target.url("/never"))) for number in range(3)])
        target.wait_for(4)
        assert sorted(sender.abort()) == ["never 0", "never 1", "never 2"]
        assert [key for key, _ in sender.collect()] == ["done"]
        assert sender.in_flight == 0


def test_an_aborted_call_never_ends_a_second_time() -> None:
    with receiver() as target, sending() as sender:
        for round_ in range(20):
            sender.submit([(f"{round_} {number}", a_request(target.url())) for number in range(20)])
            aborted = sender.abort()
            ended = [key for key, _ in sender.collect()]
            assert len(aborted) + len(ended) == 20
            assert not set(aborted) & set(ended)


def test_a_sender_goes_on_after_an_abort() -> None:
    with receiver() as target, sending() as sender:
        target.answer("/never", NEVER)
        sender.submit([("a", a_request(target.url("/never")))])
        target.wait_for(1)
        assert sender.abort() == ["a"]
        assert send(sender, a_request(target.url("/"))).status_code == 200


def test_calls_past_the_limit_wait_their_turn() -> None:
    with receiver() as target, sending(most=1) as sender:
        target.answer_all(Answer(delay_seconds=0.01))
        sender.submit([(f"{number}", a_request(target.url(f"/{number}"))) for number in range(5)])
        assert [key for key, _ in collect(sender, 5)] == ["0", "1", "2", "3", "4"]
        assert [request.path for request in target.requests] == ["/0", "/1", "/2", "/3", "/4"]
        assert target.connections == 1


def test_calls_that_wait_their_turn_can_be_taken_back_and_others_not() -> None:
    with receiver() as target, sending(most=2) as sender:
        target.answer_all(NEVER)
        sender.submit([(key, a_request(target.url())) for key in "abcde"])
        target.wait_for(2)
        assert sender.withdraw(60.0) == []
        assert sender.withdraw(0.0) == ["c", "d", "e"]
        assert sender.withdraw(0.0) == []
        assert sender.in_flight == 2
        assert sender.abort() == ["a", "b"]
        assert len(target.requests) == 2


def test_close_is_safe_before_the_first_call_and_twice() -> None:
    sender = Sender(clock=SystemClock(), policy=AddressPolicy(), most=1)
    sender.close()
    sender.close()


def test_close_stops_calls_in_flight_and_its_thread() -> None:
    with receiver() as target:
        target.answer_all(NEVER)
        with sending() as sender:
            sender.submit([("a", a_request(target.url()))])
            target.wait_for(1)
        assert "rrcli-sender" not in {thread.name for thread in threading.enumerate()}


def test_a_closed_sender_takes_no_calls() -> None:
    with sending() as sender:
        sender.close()
        with pytest.raises(RuntimeError, match="closed"):
            sender.submit([("a", a_request("http://127.0.0.1/"))])
        assert sender.collect() == []
        assert sender.abort() == []


def test_senders_give_back_every_descriptor() -> None:
    with receiver() as target:
        for round_ in range(6):
            with sending() as sender:
                send(sender, a_request(target.url()))
                target.answer_all(NEVER)
                sender.submit([("a", a_request(target.url()))])
                target.answer_all(Answer())
            target.stop()
            target.start()
            if round_ == 2:
                before = descriptors()
        assert descriptors() <= before


# Python 3.12 warns of a fork beside threads; that it works beside them is what is tested.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_process_has_a_sender_of_its_own() -> None:
    with receiver() as target, sending() as parent:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with sending() as own:
                    code = 0 if send(own, a_request(target.url("/child"))).status_code == 200 else 2
            finally:
                os._exit(code)
        assert send(parent, a_request(target.url("/parent"))).status_code == 200
        assert os.waitpid(child, 0)[1] == 0
    assert sorted(request.path for request in target.requests) == ["/child", "/parent"]


def test_an_error_of_the_network_thread_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(http_loop.NetworkLoop, "start", broken)
    with sending() as sender:
        sender.submit([("a", a_request("http://127.0.0.1/"))])
        assert select.select([sender.fileno()], [], [], 10)[0]
        with pytest.raises(RuntimeError, match="the network thread has ended by an error"):
            sender.collect()
        with pytest.raises(RuntimeError, match="the network thread has ended by an error"):
            sender.submit([("b", a_request("http://127.0.0.1/"))])


def at(clock: FakeClock, milliseconds: int, url: str) -> Request:
    """A request for an instant from now."""
    return replace(a_request(url), at=clock.now() + timedelta(milliseconds=milliseconds))


def test_a_call_begins_at_its_time_and_holds_up_no_other() -> None:
    clock = FakeClock(NOON)
    with receiver() as target, sending(clock=clock, most=1) as sender:
        calls = [("later", at(clock, 80, target.url("/later"))), ("now", at(clock, -5, target.url("/now")))]
        sender.submit([*calls, ("soon", at(clock, 40, target.url("/soon")))])
        assert [key for key, _ in collect(sender, 1)] == ["now"]
        for key in ("soon", "later"):
            assert [call.path for call in target.requests][-1] != f"/{key}"
            clock.advance(timedelta(milliseconds=41))
            ((ended, outcome),) = collect(sender, 1)
            assert (ended, outcome.started, outcome.duration_ms) == (key, clock.now(), 0)


def test_no_call_is_held_longer_than_it_can_have_been_handed_over_ahead() -> None:
    """The wall clock was set back since, or another machine's is ahead: its dispatcher's word goes."""
    clock = FakeClock(NOON)
    with receiver() as target, sending(clock=clock) as sender:
        sender.submit([("a", at(clock, 3_600_000, target.url()))])
        clock.advance(AHEAD)
        assert len(collect(sender, 1)) == 1


def test_calls_that_wait_for_their_time_can_be_taken_back() -> None:
    clock = FakeClock(NOON)
    with receiver() as target, sending(clock=clock) as sender:
        sender.submit([(f"{ahead}", at(clock, ahead, target.url())) for ahead in (50, 90, -1)])
        assert [key for key, _ in collect(sender, 1)] == ["-1"]
        assert sender.withdraw(0.0) == []
        assert sorted(sender.withdraw(None)) == ["50", "90"]
        clock.advance(AHEAD)
        sender.submit([("next", a_request(target.url()))])
        assert [key for key, _ in collect(sender, 1)] == ["next"]
        assert (sender.in_flight, len(target.requests)) == (0, 2)
