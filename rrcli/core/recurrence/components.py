"""A recurrence text as read: DTSTART, rules, added and removed dates (RFC 5545 3.8.2.4, 3.8.5)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from rrcli.core.recurrence.calendar import DAY_SECONDS, FIRST_YEAR, january_first
from rrcli.core.recurrence.moments import (
    Moment,
    joined,
    known_zone,
    moment_of,
    read_moment,
    start_of_period,
    to_instant,
    zone_of_line,
)
from rrcli.core.recurrence.parts import read_rule
from rrcli.core.recurrence.rule import Rule
from rrcli.core.recurrence.text import (
    LONGEST_RULE_CHARACTERS,
    ContentLine,
    content_lines,
    refuse,
)
from rrcli.core.recurrence.zones import Zone, zone_named

MOST_DATES = 10_000


class PlacedMoment(NamedTuple):
    """A date or date-time with the zone in which its local time is meant."""

    zone_name: str
    moment: Moment

    @property
    def instant(self) -> int:
        """The instant in seconds."""
        return self.moment.instant(zone_named(self.zone_name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Everything that a text says, in the words in which it is kept: local times stay local."""

    zone_name: str
    start: Moment
    rules: tuple[Rule, ...] = ()
    removing_rules: tuple[Rule, ...] = ()
    added: tuple[PlacedMoment, ...] = ()
    removed: tuple[PlacedMoment, ...] = ()
    removed_days: tuple[Moment, ...] = ()
    is_anchored: bool = False  # whether DTSTART was not in the text

    @property
    def zone(self) -> Zone | None:
        """The zone in which it steps; None for UTC."""
        return zone_named(self.zone_name)

    def __str__(self) -> str:
        start = PlacedMoment(self.zone_name, Moment(self.start.wall, is_utc=self.zone_name == "UTC"))
        return "\n".join(
            (
                *_date_lines("DTSTART", (start,)),
                *(f"RRULE:{rule}" for rule in self.rules),
                *(f"EXRULE:{rule}" for rule in self.removing_rules),
                *_date_lines("RDATE", self.added),
                *_date_lines("EXDATE", self.removed),
                *([f"EXDATE;VALUE=DATE:{joined(self.removed_days)}"] if self.removed_days else ()),
            )
        )


def _date_lines(name: str, placed: tuple[PlacedMoment, ...]) -> Iterator[str]:
    """One line for each zone in which the moments are meant."""
    for zone_name, group in groupby(placed, key=lambda item: item.zone_name):
        place = "" if zone_name == "UTC" else f";TZID={zone_name}"
        yield f"{name}{place}:{joined(item.moment for item in group)}"


def read_components(text: str, timezone: str | None, anchor: datetime | None) -> Components:
    """Read a text; `timezone` places a floating DTSTART, `anchor` stands in for a missing one."""
    lines = _lines_by_name(text)
    rules = [read_rule(line) for line in lines.get("RRULE", ())]
    removing = [read_rule(line) for line in lines.get("EXRULE", ())]
    timezone = None if timezone is None else known_zone(timezone, None)
    if "DTSTART" in lines:
        zone_name, start = _read_start(lines["DTSTART"], timezone)
        added = _additions(lines.get("RDATE", ()), zone_name)
    else:
        zone_name = timezone or "UTC"
        added = _additions(lines.get("RDATE", ()), zone_name)
        start = _start_without_line(zone_name, anchor, added if not rules else ())
    removed, days = _removals(lines.get("EXDATE", ()), zone_name)
    return Components(
        zone_name=zone_name,
        start=start,
        rules=tuple(dict.fromkeys(rules)),
        removing_rules=tuple(dict.fromkeys(removing)),
        added=added,
        removed=removed,
        removed_days=days,
        is_anchored="DTSTART" not in lines,
    )


def _lines_by_name(text: str) -> dict[str, list[ContentLine]]:
    """The lines under their names, refused as soon as they hold too much."""
    lines: dict[str, list[ContentLine]] = {}
    rule_characters = 0
    dates = {"RDATE": 0, "EXDATE": 0}
    for line in content_lines(text):
        if line.name in dates:
            dates[line.name] += line.value.count(",") + 1
            if dates[line.name] > MOST_DATES:
                raise refuse(f"more than {MOST_DATES} dates", line.name, line.value, line.position)
        elif line.name != "DTSTART":
            rule_characters += len(line.value)
            if rule_characters > LONGEST_RULE_CHARACTERS:
                message = f"the rules are longer than {LONGEST_RULE_CHARACTERS} characters"
                raise refuse(message, line.name, line.value, line.position)
        lines.setdefault(line.name, []).append(line)
    return lines


def _read_start(lines: list[ContentLine], timezone: str | None) -> tuple[str, Moment]:
    line = lines[0]
    if len(lines) > 1:
        raise refuse("is given twice", "DTSTART", lines[1].value, lines[1].position)
    zone_name, kind = zone_of_line(line, ("DATE", "DATE-TIME"))
    moment = _typed_moment(line.value, kind, line, 0)
    if moment.is_utc:
        if zone_name is not None:
            raise refuse("a UTC time (Z) takes no TZID", "DTSTART", line.value, line.at(0), "Leave out the Z")
        zone_name = "UTC"
    if zone_name and timezone and zone_name != timezone:
        raise refuse(
            f"is in {zone_name}, but the time zone given beside it is {timezone}",
            "DTSTART",
            line.value,
            line.at(0),
            f"Write the local time as DTSTART;TZID={timezone}:… or leave out one of the two",
        )
    return zone_name or timezone or "UTC", moment


def _start_without_line(zone_name: str, anchor: datetime | None, added: Iterable[PlacedMoment]) -> Moment:
    """The anchor, or the first RDATE where there is no rule that would need one."""
    if instants := [placed.instant for placed in added]:
        instant = min(instants)
    elif anchor is None:
        raise refuse("is missing, and there is nothing to anchor the rule at", "DTSTART", "", None)
    else:
        instant = to_instant(anchor)[0]
    zone = zone_named(zone_name)
    wall = instant if zone is None else instant + zone.offset(instant)
    if wall // DAY_SECONDS < january_first(FIRST_YEAR):
        raise refuse(f"before the year {FIRST_YEAR}", "DTSTART", str(anchor), None)
    return Moment(wall)


def _typed_moment(value: str, kind: str | None, line: ContentLine, offset: int) -> Moment:
    moment = read_moment(value, line.name, line.at(offset))
    if kind is not None and moment.is_date != (kind == "DATE"):
        raise refuse(f"is not of the type VALUE={kind}", line.name, value, line.at(offset))
    return moment


def _moments(
    lines: Iterable[ContentLine], allowed: tuple[str, ...], zone_name: str
) -> Iterator[PlacedMoment]:
    """The values of RDATE or EXDATE lines, each with the zone of its line or of the recurrence."""
    for line in lines:
        line_zone, kind = zone_of_line(line, allowed)
        place = line_zone or zone_name
        offset = 0
        for value in line.value.split(","):
            # Positions are worked out only for what is refused: there may be 10,000 values.
            moment = None if kind == "PERIOD" else moment_of(value)
            if moment is None or kind is not None or (moment.is_utc and line_zone is not None):
                moment = _careful_moment(value, kind, line, offset, line_zone)
            if moment.is_utc:
                yield PlacedMoment("UTC", moment)
            else:
                yield PlacedMoment(place, moment)
            offset += len(value) + 1


def _careful_moment(
    value: str, kind: str | None, line: ContentLine, offset: int, line_zone: str | None
) -> Moment:
    if kind == "PERIOD":
        value, kind = start_of_period(value, line.name, line.at(offset)), None
    moment = _typed_moment(value, kind, line, offset)
    if moment.is_utc and line_zone is not None:
        raise refuse("a UTC time (Z) takes no TZID", line.name, value, line.at(offset), "Leave out the Z")
    return moment


def _additions(lines: Iterable[ContentLine], zone_name: str) -> tuple[PlacedMoment, ...]:
    """Added moments; a bare date stands for its local midnight."""
    return _sorted(_moments(lines, ("DATE", "DATE-TIME", "PERIOD"), zone_name))


def _removals(
    lines: Iterable[ContentLine], zone_name: str
) -> tuple[tuple[PlacedMoment, ...], tuple[Moment, ...]]:
    """Removed moments, and removed local days."""
    found = list(_moments(lines, ("DATE", "DATE-TIME"), zone_name))
    days = {each.moment for each in found if each.moment.is_date}
    return _sorted(each for each in found if not each.moment.is_date), tuple(sorted(days))


def _sorted(found: Iterable[PlacedMoment]) -> tuple[PlacedMoment, ...]:
    """Ascending, none twice, all as times, and those in UTC marked as such."""
    ordered = sorted(
        each
        if each.moment.is_utc or (each.zone_name != "UTC" and not each.moment.is_date)
        else PlacedMoment(each.zone_name, Moment(each.moment.wall, is_utc=each.zone_name == "UTC"))
        for each in found
    )
    return tuple(each for each, _ in groupby(ordered))
