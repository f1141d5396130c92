"""Reading and writing recurrence text."""

import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import given

from rrcli.core.recurrence import Recurrence
from rrcli.errors import InvalidRule
from tests.unit.recurrence.examples import many

from .strategies import ZONES, moments, rule_texts

ANCHOR = datetime(2026, 1, 5, 9, 30, 15, 999_999, tzinfo=UTC)


def parse(text: str, **options: object) -> Recurrence:
    return Recurrence.parse(text, anchor=ANCHOR, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("FREQ=DAILY", "DTSTART:20260105T093015Z\nRRULE:FREQ=DAILY"),
        ("rrule:freq=daily;interval=1", "DTSTART:20260105T093015Z\nRRULE:FREQ=DAILY"),
        (
            "DTSTART;TZID=Europe/Berlin:20260329T023000\r\nRRULE:FREQ=MONTHLY;BYDAY=FR,-1\r\n MO,+2TU",
            "DTSTART;TZID=Europe/Berlin:20260329T023000\nRRULE:FREQ=MONTHLY;BYDAY=-1MO,FR,2TU",
        ),
        (
            "DTSTART:20260101\nRRULE:FREQ=DAILY;UNTIL=20260105;WKST=SU",
            "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20260105;WKST=SU",
        ),
        (
            "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY\nEXDATE;TZID=Asia/Tokyo:20260103T090000,20260102T090000",
            "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY\nEXDATE;TZID=Asia/Tokyo:20260102T090000,20260103T090000",
        ),
        (
            "DTSTART:20260101T000000Z\nRDATE;VALUE=PERIOD:20260102T000000Z/PT1H,20260103T000000Z/20260103T010000Z",
            "DTSTART:20260101T000000Z\nRDATE:20260102T000000Z,20260103T000000Z",
        ),
        (
            "DTSTART:20260131T000000Z\nRRULE:FREQ=MONTHLY;RSCALE=gregorian;SKIP=backward\nEXDATE;VALUE=DATE:20260228",
            "DTSTART:20260131T000000Z\nRRULE:FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD\nEXDATE;VALUE=DATE:20260228",
        ),
    ],
)
def test_text_is_canonical_and_reads_back(text: str, canonical: str) -> None:
    recurrence = parse(text)
    assert recurrence.text == canonical
    assert Recurrence.parse(canonical) == recurrence


@many
@given(rule=rule_texts(), anchor=moments())
def test_any_rule_reads_back_and_keeps_its_occurrences(rule: str, anchor: datetime) -> None:
    zone = ZONES[len(rule) % len(ZONES)]
    recurrence = Recurrence.parse(rule, timezone=zone, anchor=anchor)
    again = Recurrence.parse(recurrence.text)
    assert again == recurrence
    assert hash(again) == hash(recurrence)
    assert again.text == recurrence.text
    assert pickle.loads(pickle.dumps(recurrence)) == recurrence
    end = datetime(2045, 1, 1, tzinfo=UTC)
    assert again.between(anchor, end, 5) == recurrence.between(anchor, end, 5)


def test_the_anchor_is_cut_to_whole_seconds_and_written_in_the_zone() -> None:
    recurrence = parse("FREQ=DAILY", timezone="America/New_York")
    assert recurrence.text == "DTSTART;TZID=America/New_York:20260105T043015\nRRULE:FREQ=DAILY"
    assert recurrence.timezone == "America/New_York"


def test_a_floating_dtstart_takes_the_zone_given_beside_it() -> None:
    text = "DTSTART:20260105T090000\nRRULE:FREQ=DAILY"
    assert parse(text, timezone="Asia/Tokyo").text.startswith("DTSTART;TZID=Asia/Tokyo:20260105T090000")
    assert parse(text).timezone == "UTC"


def test_dates_alone_need_no_anchor_and_begin_with_the_first() -> None:
    recurrence = Recurrence.parse("RDATE:20270101T000000Z,20260601T000000Z")
    assert [time.year for time in recurrence.occurrences()] == [2026, 2027]


def test_dtstart_alone_occurs_once() -> None:
    assert list(Recurrence.parse("DTSTART:20270101T000000Z").occurrences()) == [
        datetime(2027, 1, 1, tzinfo=UTC)
    ]


@pytest.mark.parametrize(
    ("text", "part", "position", "hint"),
    [
        ("", "RRULE", 0, "FREQ=DAILY"),
        ("INTERVAL=2", "FREQ", 0, "FREQ=DAILY;INTERVAL=2"),
        ("FREQ=DAILY;BYHOUR=9,25", "BYHOUR", 20, None),
        ("FREQ=DAILY;;COUNT=2", "RRULE", 11, None),
        ("FREQ=DAILY;COUNT=", "COUNT", 17, None),
        ("FREQ=DAILY;COUNT=1;COUNT=2", "COUNT", 25, None),
        ("FREQ=DAILY;COUNT=0", "COUNT", 17, None),
        ("FREQ=DAILY;INTERVAL=１", "INTERVAL", 20, None),
        ("FREQ=DAILY;BYWEEKDAY=MO", "BYWEEKDAY", 11, "BYDAY=MO"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "UNTIL", 25, "Leave one"),
        ("FREQ=WEEKLY;BYMONTHDAY=13", "BYMONTHDAY", 23, "FREQ=DAILY;BYMONTHDAY=13"),
        ("FREQ=DAILY;BYYEARDAY=100", "BYYEARDAY", 21, "FREQ=YEARLY;BYYEARDAY=100"),
        ("FREQ=MONTHLY;BYWEEKNO=20;BYDAY=MO", "BYWEEKNO", 22, "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"),
        ("FREQ=DAILY;BYDAY=1MO", "BYDAY", 17, "FREQ=MONTHLY;BYDAY=1MO"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO", "BYDAY", 30, "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS", 22, None),
        ("FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD", "SKIP", 32, "RSCALE=GREGORIAN;SKIP=BACKWARD"),
        ("FREQ=YEARLY;RSCALE=HEBREW", "RSCALE", 19, "GREGORIAN"),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY\nDTSTART:20260101T000000Z", "DTSTART", 42, None),
        ("DTSTART;TZID=Europe/Berlim:20260101T000000\nRRULE:FREQ=DAILY", "TZID", 13, "Europe/Berlin"),
        ("DTSTART;TZID=Europe/Berlin:20260101T000000Z\nRRULE:FREQ=DAILY", "DTSTART", 27, "Leave out the Z"),
        ("DTSTART:20260230T000000Z\nRRULE:FREQ=DAILY", "DTSTART", 8, None),
        ("DTSTART:18991231T000000Z\nRRULE:FREQ=DAILY", "DTSTART", 8, None),
        ("DTSTART;VALUE=DATE:20260101T000000Z\nRRULE:FREQ=DAILY", "DTSTART", 19, None),
        ("DTSTART:20260101T000000Z\nFREQ=DAILY", "RRULE", 25, None),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY\nEXDATE:20260102,never", "EXDATE", 58, None),
        ("VEVENT:1", "VEVENT", 0, None),
    ],
)
def test_a_refusal_names_the_part_its_place_and_what_would_be_right(
    text: str, part: str, position: int, hint: str | None
) -> None:
    with pytest.raises(InvalidRule) as caught:
        parse(text)
    assert caught.value.part == part
    assert caught.value.position == position
    assert (hint or "") in (caught.value.hint or "")


def test_positions_count_in_the_folded_text_that_was_given() -> None:
    text = "DTSTART:20260101T000000Z\r\nRRULE:FREQ=DAI\r\n LY;BYHOUR=1,9\r\n 9"
    with pytest.raises(InvalidRule) as caught:
        parse(text)
    assert text[caught.value.position : caught.value.position + 1] == "9"  # type: ignore[operator]


def test_a_zone_beside_the_text_must_not_contradict_it() -> None:
    with pytest.raises(InvalidRule, match="Europe/Berlin"):
        parse("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY", timezone="Europe/Berlin")
    with pytest.raises(InvalidRule, match="Europe/Berlin"):
        parse("DTSTART;TZID=Asia/Tokyo:20260101T000000\nRRULE:FREQ=DAILY", timezone="Europe/Berlin")
    same = parse("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY", timezone="Etc/UTC")
    assert same.timezone == "UTC"


def test_a_rule_without_dtstart_and_anchor_is_refused() -> None:
    with pytest.raises(InvalidRule, match="DTSTART"):
        Recurrence.parse("FREQ=DAILY")
