"""Random rules, start times and zones for the property tests."""

import importlib.resources
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "America/St_Johns",
    "Asia/Kathmandu",
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def all_zone_names() -> list[str]:
    """Every name of the tz database that the tzdata package carries."""
    return (importlib.resources.files("tzdata") / "zones").read_text(encoding="ascii").split()


def moments(first_year: int = 1990, last_year: int = 2040) -> st.SearchStrategy[datetime]:
    """Aware UTC times in whole seconds, often on a round one."""
    begin = datetime(first_year, 1, 1, tzinfo=UTC)
    seconds = int((datetime(last_year, 1, 1, tzinfo=UTC) - begin).total_seconds())
    exact = st.integers(0, seconds)
    round_ones = st.integers(0, seconds // 1800).map(lambda number: number * 1800)
    return st.one_of(round_ones, exact).map(lambda second: begin + timedelta(seconds=second))


def _listed(values: st.SearchStrategy[int], most: int = 4) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(
        lambda found: ",".join(map(str, found))
    )


def _signed(high: int) -> st.SearchStrategy[int]:
    return st.integers(-high, high).filter(bool)


@st.composite
def rule_texts(draw: st.DrawFn, endings: bool = True, positions: bool = True) -> str:
    """A rule that RFC 5545 allows, over all parts, positive and negative values."""
    frequency = draw(
        st.sampled_from(("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"))
    )
    fine = frequency in ("HOURLY", "MINUTELY", "SECONDLY")
    parts = {"FREQ": frequency}
    if draw(st.booleans()):
        parts["INTERVAL"] = str(draw(st.integers(1, 40)))
    chances = st.integers(0, 3).map(lambda number: number == 0)
    if draw(chances):
        parts["BYMONTH"] = draw(_listed(st.integers(1, 12)))
    if frequency == "YEARLY" and draw(chances):
        parts["BYWEEKNO"] = draw(_listed(_signed(53)))
    if (fine or frequency == "YEARLY") and draw(chances):
        parts["BYYEARDAY"] = draw(_listed(_signed(366)))
    if frequency != "WEEKLY" and draw(chances):
        parts["BYMONTHDAY"] = draw(_listed(_signed(31)))
    if draw(chances):
        parts["BYDAY"] = draw(_weekdays(frequency, "BYWEEKNO" in parts, "BYMONTH" in parts))
    if draw(chances):
        parts["BYHOUR"] = draw(_listed(st.integers(0, 23)))
    if draw(chances):
        parts["BYMINUTE"] = draw(_listed(st.integers(0, 59)))
    if draw(chances):
        parts["BYSECOND"] = draw(_listed(st.integers(0, 59)))
    if positions and any(name.startswith("BY") for name in parts) and draw(chances):
        parts["BYSETPOS"] = draw(_listed(_signed(5), 2))
    if draw(chances):
        parts["WKST"] = draw(st.sampled_from(WEEKDAYS))
    if endings and draw(st.booleans()):
        parts["COUNT"] = str(draw(st.integers(1, 60)))
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _weekdays(frequency: str, in_weeks: bool, in_months: bool) -> st.SearchStrategy[str]:
    plain = st.sampled_from(WEEKDAYS)
    plain_list = st.lists(plain, min_size=1, max_size=4, unique=True).map(",".join)
    if frequency not in ("YEARLY", "MONTHLY") or in_weeks:
        return plain_list
    highest = 5 if frequency == "MONTHLY" or in_months else 53
    numbered = st.builds(lambda nth, day: f"{nth}{day}", _signed(highest), plain)
    numbered_list = st.lists(numbered, min_size=1, max_size=3, unique=True).map(",".join)
    # python-dateutil yields nothing for numbered and plain weekdays mixed, so they stay apart.
    return st.one_of(plain_list, numbered_list)
