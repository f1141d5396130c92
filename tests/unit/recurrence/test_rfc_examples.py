"""The examples of RFC 5545 3.8.5.3 and RFC 7529 4.2, all of which begin on 2 September 1997 in New York."""

from zoneinfo import ZoneInfo

import pytest

from rrcli.core.recurrence import Recurrence

START = "DTSTART;TZID=America/New_York:19970902T090000\nRRULE:"


def local(text: str, limit: int) -> list[str]:
    recurrence = Recurrence.parse(text)
    zone = ZoneInfo(recurrence.timezone)
    return [f"{time.astimezone(zone):%Y%m%dT%H%M}" for time in recurrence.occurrences(limit=limit)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;COUNT=10", "0902 0903 0904 0905 0906 0907 0908 0909 0910 0911"),
        ("FREQ=DAILY;INTERVAL=10;COUNT=5", "0902 0912 0922 1002 1012"),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU", "0902 0916 0930 1014 1028 1111 1125 1209 1223"),
        ("FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "0902 0904 0909 0911 0916 0918 0923 0925 0930 1002"),
        ("FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "0905 1003 1107 1205"),
        ("FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU", "0907 0928 1102 1130"),
        ("FREQ=MONTHLY;COUNT=4;BYDAY=-2MO", "0922 1020 1117 1222"),
        ("FREQ=MONTHLY;BYMONTHDAY=-3", "0928 1029 1128 1229"),
        ("FREQ=MONTHLY;COUNT=6;BYMONTHDAY=2,15", "0902 0915 1002 1015 1102 1115"),
        ("FREQ=MONTHLY;COUNT=6;BYMONTHDAY=1,-1", "0930 1001 1031 1101 1130 1201"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "0904 1007 1106"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "0929 1030 1127 1230"),
    ],
)
def test_examples_within_1997(rule: str, expected: str) -> None:
    days = expected.split()
    assert local(START + rule, len(days)) == [f"1997{day}T0900" for day in days]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200", "20000101 20000409 20000718 20030101"),
        ("FREQ=YEARLY;BYDAY=20MO", "19980518 19990517 20000515"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "19980511 19990517 20000515"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "19980305 19980312 19980319 19980326 19990304"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "19980213 19980313 19981113 19990813 20001013"),
        (
            "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
            "19970913 19971011 19971108 19971213 19980110",
        ),
        (
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
            "19971104 20011106 20051108",
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "19970915 19970930 19971015 19971030 19971115"),
    ],
)
def test_examples_over_the_years(rule: str, expected: str) -> None:
    days = expected.split()
    assert local(START + rule, len(days)) == [f"{day}T0900" for day in days]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z", "0900 1200 1500"),
        ("FREQ=MINUTELY;INTERVAL=15;COUNT=6", "0900 0915 0930 0945 1000 1015"),
        ("FREQ=MINUTELY;INTERVAL=90;COUNT=4", "0900 1030 1200 1330"),
        ("FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,20,40;COUNT=6", "0900 0920 0940 1000 1020 1040"),
        ("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10;COUNT=6", "0900 0920 0940 1000 1020 1040"),
    ],
)
def test_examples_within_a_day(rule: str, expected: str) -> None:
    assert local(START + rule, 20) == [f"19970902T{time}" for time in expected.split()]


def test_wkst_changes_what_every_other_week_means() -> None:
    start = "DTSTART;TZID=America/New_York:19970805T090000\nRRULE:"
    rule = start + "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST="
    assert [day[4:8] for day in local(rule + "MO", 9)] == ["0805", "0810", "0819", "0824"]
    assert [day[4:8] for day in local(rule + "SU", 9)] == ["0805", "0817", "0819", "0831"]


@pytest.mark.parametrize(
    ("skip", "expected"),
    [
        ("OMIT", "0131 0331 0531"),
        ("BACKWARD", "0131 0228 0331 0430 0531"),
        ("FORWARD", "0131 0301 0331 0501 0531"),
    ],
)
def test_skip_says_what_a_missing_day_becomes(skip: str, expected: str) -> None:
    text = f"DTSTART:20140131T000000Z\nRRULE:FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP={skip}"
    days = expected.split()
    assert [day[4:8] for day in local(text, len(days))] == days


def test_skip_moves_leap_days_and_long_years() -> None:
    yearly = "DTSTART:20160229T000000Z\nRRULE:FREQ=YEARLY;COUNT=3;RSCALE=GREGORIAN;SKIP="
    assert local(yearly + "FORWARD", 9) == ["20160229T0000", "20170301T0000", "20180301T0000"]
    rule = "FREQ=YEARLY;COUNT=3;BYYEARDAY=366,-366;RSCALE=GREGORIAN;SKIP=BACKWARD"
    last = f"DTSTART:20160101T000000Z\nRRULE:{rule}"
    assert local(last, 9) == ["20160101T0000", "20161231T0000", "20171231T0000"]
