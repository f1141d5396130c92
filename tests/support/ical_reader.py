"""What a calendar program makes of an iCalendar text: an expansion that shares no code with the product.

icalendar reads the lines, dateutil expands rules, and local times are placed by the VTIMEZONE that the text
itself has.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from dateutil.rrule import rruleset, rrulestr
from icalendar import Calendar


def instants(text: str, start: datetime, end: datetime) -> dict[str, list[datetime]]:
    """By UID the instances in [start, end), in UTC."""
    calendar = Calendar.from_ical(text)
    zones = {str(zone["TZID"]): zone.to_tz(lookup_tzid=False) for zone in calendar.walk("VTIMEZONE")}
    found: defaultdict[str, list[datetime]] = defaultdict(list)
    for event in calendar.walk("VEVENT"):
        moments = _expanded(event, zones, start, end)
        found[str(event["UID"])] += [moment for moment in moments if start <= moment < end]
    return {uid: sorted(each) for uid, each in found.items()}


def _expanded(event: Any, zones: dict[str, Any], start: datetime, end: datetime) -> set[datetime]:
    """Rules step on the wall clock; their times are placed afterwards, as RFC 5545 says."""
    value = event["DTSTART"]
    zone = zones.get(str(value.params.get("TZID"))) or UTC
    first = value.dt.replace(tzinfo=None)
    found = rruleset()
    found.rdate(first)
    if "RRULE" in event:
        rule = event["RRULE"]
        if "UNTIL" in rule:
            (until,) = rule["UNTIL"]
            rule["UNTIL"] = [until.astimezone(zone).replace(tzinfo=None)]
        found.rrule(rrulestr(rule.to_ical().decode(), dtstart=first))
    margin = timedelta(days=2)
    walls = found.between(start.replace(tzinfo=None) - margin, end.replace(tzinfo=None) + margin, inc=True)
    moments = {_placed(wall, zone) for wall in walls}
    return (moments | _listed(event, "RDATE", zones)) - _listed(event, "EXDATE", zones)


def _listed(event: Any, name: str, zones: dict[str, Any]) -> set[datetime]:
    lines = event.get(name, [])
    found = set()
    for line in lines if isinstance(lines, list) else [lines]:
        zone = zones.get(str(line.params.get("TZID"))) or UTC
        found |= {_placed(each.dt.replace(tzinfo=None), zone) for each in line.dts}
    return found


def _placed(wall: datetime, zone: tzinfo) -> datetime:
    """The instant of a local time; one that the clocks skip has the offset from before (3.3.5)."""
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    before = (wall - timedelta(hours=3)).replace(tzinfo=zone).utcoffset() or timedelta()
    return (wall - before).replace(tzinfo=UTC)
