"""What is stored comes back as it was, every field of it."""

import inspect
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from rrcli.core.models import (
    Attempt,
    Event,
    EventState,
    Kind,
    Misfire,
    MisfirePolicy,
    Overlap,
    Retry,
    Schedule,
    ScheduleState,
    Skip,
    Span,
    Status,
)
from rrcli.repository.base import Repository
from tests.contract.samples import NOON, after, event, schedule, schedule_id

FULL_SCHEDULE = Schedule(
    id=schedule_id(7),
    name="Früh ☀️ \"quoted\" 'n' \\ $dollar. 日本",
    rrule="DTSTART;TZID=Europe/Berlin:20260101T090000\nRRULE:FREQ=WEEKLY;BYDAY=MO\nEXDATE:20260105T080000Z",
    timezone="Europe/Berlin",
    callback_url="https://user:pw@example.org/π?a=1&b=%20#f",
    method="PATCH",
    headers={"X-Trace.Id": "ünï", "$where": "1", "Accept": ""},
    body='{"text": "a\\u0000b \U0001f600\\n"}',
    timeout_seconds=12.5,
    max_retries=0,
    retry=Retry(base_seconds=0.25, factor=1.5, cap_seconds=99.0),
    follow_redirects=True,
    misfire=Misfire(policy=MisfirePolicy.ALL, grace_seconds=1.5, window_seconds=3600.25),
    overlap=Overlap.QUEUE,
    jitter_seconds=7.5,
    tags=("prod", "ünï", "a,b"),
    secrets=("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b"),
    state=ScheduleState.PAUSED,
    state_reason="Paused by 410 — “gone”.",
    revision=12,
    rule_revision=9,
    auto_pause_after=5,
    exclude_calendars=("de", "company.2026"),
    skips=(
        Skip(run_time=NOON),
        Skip(run_time=after(60), reason="Ünï “off”", moved_to=after(90)),
    ),
    rule_since=NOON + timedelta(milliseconds=1),
    state_since=NOON + timedelta(milliseconds=2),
    next_run=NOON + timedelta(milliseconds=123),
    created_at=datetime(1999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    updated_at=datetime(2199, 1, 1, 0, 0, 0, 1000, tzinfo=UTC),
)

FULL_EVENT = Event(
    id="0123456789abcdef01234567",
    schedule_id=schedule_id(7),
    run_time=NOON + timedelta(milliseconds=7),
    due=NOON + timedelta(milliseconds=8),
    kind=Kind.REPLAY,
    revision=3,
    status=(
        Status(time=NOON, status=EventState.READY, message="Entered."),
        Status(time=after(0.001), status=EventState.RETRY, message="“503” — wait. \U0001f600"),
    ),
    attempts=(
        Attempt(time=after(1), duration_ms=12.25, status_code=503, error=None, response="ü" * 500 + '"\\\n'),
        Attempt(time=after(2.5), duration_ms=0.0, status_code=None, error="connection refused"),
    ),
    lateness_ms=17.75,
    replay_of="ffffffffffffffffffffffff",
    webhook_id="76543210fedcba9876543210",
    span=Span(first=after(0), last=after(3600), count=61),
    created_at=after(0.999),
)


def test_the_samples_set_every_field() -> None:
    for sample, plain in ((FULL_SCHEDULE, schedule()), (FULL_EVENT, event())):
        same = [
            name
            for name in inspect.get_annotations(type(sample))
            if getattr(sample, name) == getattr(plain, name)
        ]
        assert same == []


@pytest.mark.parametrize(
    "sample",
    [
        FULL_SCHEDULE,
        schedule(),
        replace(FULL_SCHEDULE, body="é" * 51_200, next_run=None, max_retries=None),
        replace(FULL_SCHEDULE, body="", headers={}, tags=(), secrets=(), timezone=None),
    ],
    ids=["full", "plain", "100 KiB body", "empty"],
)
def test_a_schedule_comes_back_as_it_was(repository: Repository, sample: Schedule) -> None:
    repository.schedules.add([replace(sample, revision=1)])
    assert repository.schedules.get([sample.id]) == {sample.id: replace(sample, revision=1)}

    replaced = replace(sample, revision=2, name="x")
    assert repository.schedules.replace(replaced, expected_revision=1)
    assert repository.schedules.find(limit=1).items == (replaced,)


@pytest.mark.parametrize(
    "sample",
    [FULL_EVENT, event(), structs.replace(FULL_EVENT, attempts=(), span=None, lateness_ms=0.0)],
    ids=["full", "plain", "no attempts"],
)
def test_an_event_comes_back_as_it_was(repository: Repository, sample: Event) -> None:
    repository.events.add([sample])
    assert repository.events.get([sample.id]) == {sample.id: sample}
    assert repository.events.live(after_id="", limit=1) == [sample]

    saved = structs.replace(sample, due=after(9), lateness_ms=1.0)
    repository.events.save([saved])
    assert repository.events.find(sample.id) == saved

    ended = saved.moved(EventState.ERROR, after(10), "It failed.")
    repository.events.archive([ended], NOON)
    assert repository.events.history(None, limit=1).items == (ended,)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_event_is_stored(repository: Repository, kind: Kind) -> None:
    repository.events.add([event(kind=kind)])

    assert repository.events.find(event().id) == event(kind=kind)


def test_instants_are_kept_to_the_millisecond(repository: Repository) -> None:
    repository.schedules.add([schedule(1, next_run=NOON + timedelta(microseconds=1_400))])

    assert repository.schedules.due(after(9), 1)[0].next_run == NOON + timedelta(milliseconds=1)
