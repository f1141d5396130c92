"""Remarks about a recurrence that is accepted, but may not mean what its author thinks."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from rrcli.core.recurrence.calendar import DAY_SECONDS, date_of
from rrcli.core.recurrence.components import Components
from rrcli.core.recurrence.instants import InstantSet
from rrcli.core.recurrence.rule import Frequency, Rule, Skip
from rrcli.core.recurrence.series import FIRST_INSTANT, Series
from rrcli.core.recurrence.text import refuse
from rrcli.core.recurrence.zones import Zone

# An EXRULE that removes this many occurrences from the first on is taken to remove them all.
_MOST_REMOVED = 1_000
# Gaps and repeated hours are looked for in this many years from DTSTART on.
_YEARS_LOOKED_AT = 12
# More than one a minute, on average over the first day, is called dense.
_MOST_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Lint:
    """One remark: a stable code that scripts may test for, and a sentence for people."""

    code: str
    sentence: str


def remarks(components: Components, instants: InstantSet) -> tuple[Lint, ...]:
    """Everything worth a remark, most serious first."""
    return tuple(_remarks(components, instants))


def refuse_emptied(components: Components, instants: InstantSet) -> None:
    """Refuse a text whose EXRULE leaves nothing: asking for its next occurrence would never end."""
    if not components.removing_rules:
        return
    first = list(islice(instants.candidates(FIRST_INSTANT, 64), _MOST_REMOVED))
    if len(first) == _MOST_REMOVED and instants.all_removed(first):
        raise refuse(
            f"removes each of the first {_MOST_REMOVED} occurrences",
            "EXRULE",
            str(components.removing_rules[0]),
            None,
            "Say with BY… parts of the RRULE when it should occur",
        )


def _remarks(components: Components, instants: InstantSet) -> Iterator[Lint]:
    if next(instants.chunks(FIRST_INSTANT, 1), None) is None:
        yield Lint("never-occurs", "This never occurs.")
    if components.is_anchored and any(map(_is_open, components.rules)):
        yield Lint(
            "no-dtstart",
            "There is no DTSTART: what the rule leaves open, such as the time of day, and where it begins to "
            "count come from the moment of creation.",
        )
    yield from _density_remarks(instants)
    for rule in components.rules:
        if not components.is_anchored:
            yield from _start_remarks(components, rule)
        yield from _until_remarks(components, rule)
        yield from _date_remarks(components, rule)
        yield from _time_remarks(components, rule)
    if components.removing_rules:
        yield Lint("exrule-deprecated", "RFC 5545 has dropped EXRULE; EXDATE or BY… parts say the same.")


def _is_open(rule: Rule) -> bool:
    """Whether the occurrences depend on when it begins."""
    given = (rule.hours, rule.minutes, rule.seconds)
    coarser = {Frequency.HOURLY: 1, Frequency.MINUTELY: 2, Frequency.SECONDLY: 3}.get(rule.frequency, 0)
    counts = rule.interval != 1 or rule.count is not None
    return counts or not all(given[coarser:]) or rule.completed(1, 1, 0) != rule


def _density_remarks(instants: InstantSet) -> Iterator[Lint]:
    chunk = next(instants.chunks(FIRST_INSTANT, _MOST_A_DAY + 1), [])
    if len(chunk) > _MOST_A_DAY and (chunk[_MOST_A_DAY] - chunk[0]).total_seconds() < DAY_SECONDS:
        yield Lint("dense", f"It occurs more than {_MOST_A_DAY:,} times a day: more than once a minute.")


def _start_remarks(components: Components, rule: Rule) -> Iterator[Lint]:
    series = Series.of(rule, components.start.wall, components.zone)
    if next(series.chunks(series.start, 1, series.start + 1), None) is None:
        yield Lint(
            "dtstart-not-an-occurrence",
            f"DTSTART does not match {rule}, so it is not an occurrence itself.",
        )


def _until_remarks(components: Components, rule: Rule) -> Iterator[Lint]:
    until, start = rule.until, components.start
    if until is None:
        return
    if until.is_date and not start.is_date:
        yield Lint(
            "until-type", "UNTIL is a date while DTSTART has a time; it is read as the end of that local day."
        )
    elif not until.is_date and start.is_date:
        yield Lint("until-type", "UNTIL has a time while DTSTART is a date.")
    elif not (until.is_date or until.is_utc):
        yield Lint(
            "until-type",
            f"UNTIL has no Z; it is read as local time in {components.zone_name} (RFC 5545 asks for UTC).",
        )


def _date_remarks(components: Components, rule: Rule) -> Iterator[Lint]:
    start = date_of(components.start.wall // DAY_SECONDS)
    whole = rule.completed(start.month, start.day, start.weekday())
    if rule.skip == Skip.OMIT and rule.frequency <= Frequency.MONTHLY:
        late = [day for day in whole.month_days if 29 <= day <= 31]
        if set(whole.months) == {2} and 29 in late:
            yield Lint(
                "leap-day",
                "29 February exists only in leap years; RSCALE=GREGORIAN;SKIP=BACKWARD takes the 28th "
                "in the others.",
            )
        elif late and not rule.weekdays:
            yield Lint(
                "short-months",
                f"Months without a day {late[0]} are left out; BYMONTHDAY=-1 is the last day, "
                "RSCALE=GREGORIAN;SKIP=BACKWARD the last one that exists.",
            )
    if rule.frequency == Frequency.YEARLY and rule.month_days and not rule.months:
        yield Lint("every-month", "BYMONTHDAY without BYMONTH means every month, in a yearly rule too.")
    if {53, -53} & set(rule.week_numbers):
        yield Lint("week-53", "Only about every sixth year has a week 53.")


def _time_remarks(components: Components, rule: Rule) -> Iterator[Lint]:
    if 60 in rule.seconds:
        yield Lint("leap-second", "BYSECOND=60 never matches: clocks here have no leap seconds.")
    zone = components.zone
    if zone is None:
        return
    if rule.frequency == Frequency.HOURLY and rule.interval % 24 == 0:
        yield Lint(
            "hours-are-not-days",
            f"{rule.interval} hours are elapsed time; where clocks change this moves by an hour against "
            "FREQ=DAILY.",
        )
    if not rule.is_elapsed:
        yield from _change_remarks(components, rule, zone)


def _change_remarks(components: Components, rule: Rule, zone: Zone) -> Iterator[Lint]:
    series = Series.of(rule, components.start.wall, zone)
    first_year = date_of(components.start.wall // DAY_SECONDS).year
    removed = repeated = False
    for year in range(first_year, first_year + _YEARS_LOOKED_AT):
        for change in zone.changes(year):
            met = series.meets_wall(change.wall - abs(change.gap), change.wall)
            removed = removed or (met and change.gap > 0)
            repeated = repeated or (met and change.gap < 0)
    if removed:
        yield Lint(
            "removed-time",
            f"Some times do not exist in {zone.name} when clocks go forward; they run once, as much later.",
        )
    if repeated:
        yield Lint(
            "repeated-time",
            f"Some times come twice in {zone.name} when clocks go back; they run the first time only.",
        )
