"""Events of an iCalendar file (RFC 5545) as rules: what repeats, with its moved and cancelled instances.

Times are instants on the clock of an IANA zone. In iCalendar DTSTART always is the first instance, also where
the rule does not have it, and counts for COUNT (3.8.5.3); the text that is made here says so for our engine.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from rrcli.core.recurrence import Recurrence
from rrcli.core.recurrence.components import read_components
from rrcli.errors import FieldError, InvalidInput, InvalidRule, SchedulerError
from rrcli.operations.calendar_file import parsed, title_of
from rrcli.operations.ics_zones import iana_name

Entry = Any
"""A VEVENT of icalendar: the type of each property is known when it is read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeating:
    """One event with all its instances: `rrule` begins with DTSTART; `cancelled`: none takes place."""

    uid: str
    name: str
    rrule: str
    timezone: str | None
    cancelled: bool


@dataclass(frozen=True, slots=True)
class _Clock:
    """What local times mean: the zones that a file defines, and the one for times without any."""

    zones: Mapping[str, str]
    own: str

    def name_of(self, value: Any) -> str:
        """The IANA name of the zone of a property; UTC for times in UTC. Raises ValueError."""
        given = value.params.get("TZID") if hasattr(value, "params") else None
        if given is None:
            moment = _first(value)
            in_utc = isinstance(moment, datetime) and moment.tzinfo is not None
            return "UTC" if in_utc else self.own
        found = self.zones.get(str(given))
        if found is None:
            raise ValueError(
                f"its time zone {str(given)!r} is none of the IANA database, nor is it defined as one"
            )
        return found


def read(text: str, *, timezone: str | None, now: datetime) -> list[Repeating]:
    """The events of an iCalendar text. Raises InvalidInput naming every event that cannot be read.

    `timezone` is for whole days and times without a zone; else X-WR-TIMEZONE of the file, else UTC.
    """
    calendars = parsed(text)
    clock = _Clock(_zones(calendars, now), timezone or _own_zone(calendars))
    groups: dict[str, list[Entry]] = {}
    for entry in (entry for each in calendars for entry in each.walk("VEVENT")):
        key = str(entry.get("UID", "")) or f"{title_of(entry)} {entry.get('DTSTART') and entry['DTSTART'].dt}"
        groups.setdefault(key, []).append(entry)
    if not groups:
        raise InvalidInput([_wrong("must hold events (VEVENT)", "file", None)])
    found: list[Repeating] = []
    errors: list[FieldError] = []
    for uid, entries in groups.items():
        try:
            found.append(_event(uid, entries, clock))
        except (InvalidRule, SchedulerError) as error:
            errors.append(_wrong(error.message, title_of(entries[0]), uid))
        except (ValueError, TypeError, AttributeError, OverflowError, KeyError) as error:
            errors.append(_wrong(str(error)[:200] or type(error).__name__, title_of(entries[0]), uid))
    if errors:
        raise InvalidInput(errors)
    return found


def _event(uid: str, entries: list[Entry], clock: _Clock) -> Repeating:
    masters = [entry for entry in entries if "RECURRENCE-ID" not in entry]
    if len(masters) > 1:
        raise ValueError("it stands several times in the file, with the same UID")
    # Without its master an instance is an event of its own.
    master = masters[0] if masters else entries[0]
    others = [entry for entry in entries if entry is not master]
    if "DTSTART" not in master:
        raise ValueError("it has no DTSTART")
    zone = clock.name_of(master["DTSTART"])
    start = _instant(master["DTSTART"].dt, zone)
    rules = list(_rules(master))
    added = set(_instants(master, "RDATE", clock))
    removed = set(_instants(master, "EXDATE", clock, whole_days_of=start if rules else None, zone=zone))
    for other in others:
        was, now_at = _change(other, clock)
        removed.add(was)
        added.discard(was)
        if now_at is not None:
            added.add(now_at)
            removed.discard(now_at)
    return Repeating(
        uid=uid,
        name=title_of(master),
        rrule=_text(start, zone, rules, added, removed),
        timezone=None if zone == "UTC" else zone,
        cancelled=_is_cancelled(master),
    )


def _text(start: datetime, zone: str, rules: list[str], added: set[datetime], removed: set[datetime]) -> str:
    """The recurrence text. DTSTART is an instance by itself, whether or not the rule has it."""
    dtstart = f"DTSTART{_at(start, zone)}"
    if rules:
        own = Recurrence.parse("\n".join([dtstart, *(f"RRULE:{rule}" for rule in rules)]))
        if own.after(start, inclusive=True) != start:
            rules = [each for rule in rules if (each := _one_less(dtstart, rule)) is not None]
            added = added | {start}
    elif start in removed or added:
        added = added | {start}
    lines = [dtstart, *(f"RRULE:{rule}" for rule in rules)]
    added -= removed
    for name, instants in (("RDATE", added), ("EXDATE", removed if rules else set())):
        if instants:
            lines.append(f"{name}:" + ",".join(f"{each:%Y%m%dT%H%M%S}Z" for each in sorted(instants)))
    if not rules and not added and start in removed:
        raise ValueError("all its instances are cancelled")
    if not rules and added:
        # With RDATEs and no rule DTSTART would occur, even where it was taken out.
        lines[0] = f"DTSTART{_at(min(added), zone)}"
    return "\n".join(lines)


def _one_less(dtstart: str, rule: str) -> str | None:
    """The rule without the instance that DTSTART is: COUNT counts that one, too."""
    (found,) = read_components(f"{dtstart}\nRRULE:{rule}", None, None).rules
    if found.count is None:
        return rule
    return str(replace(found, count=found.count - 1)) if found.count > 1 else None


def _at(start: datetime, zone: str) -> str:
    if zone == "UTC":
        return f":{start:%Y%m%dT%H%M%S}Z"
    return f";TZID={zone}:{start.astimezone(ZoneInfo(zone)):%Y%m%dT%H%M%S}"


def _rules(entry: Entry) -> Iterator[str]:
    if "EXRULE" in entry:
        raise ValueError("EXRULE is deprecated and not imported; say it with EXDATE")
    rules = entry.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        yield rule.to_ical().decode()


def _instants(
    entry: Entry, name: str, clock: _Clock, *, whole_days_of: datetime | None = None, zone: str = "UTC"
) -> Iterator[datetime]:
    """The moments of RDATE or EXDATE lines; a whole day stands for the event's time on it, if it has one."""
    lines = entry.get(name, [])
    for line in lines if isinstance(lines, list) else [lines]:
        place = clock.name_of(line)
        for each in line.dts:
            moment = each.dt[0] if isinstance(each.dt, tuple) else each.dt
            if whole_days_of is not None and not isinstance(moment, datetime):
                wall = whole_days_of.astimezone(ZoneInfo(zone)).time()
                yield _instant(datetime.combine(moment, wall), zone)
            else:
                yield _instant(moment, place)


def _change(entry: Entry, clock: _Clock) -> tuple[datetime, datetime | None]:
    """The instance that a RECURRENCE-ID names, and when it takes place instead (None: it does not)."""
    given = entry["RECURRENCE-ID"]
    if given.params.get("RANGE"):
        raise ValueError("RECURRENCE-ID with RANGE is not understood; split the event in two")
    was = _instant(given.dt, clock.name_of(given))
    if _is_cancelled(entry):
        return was, None
    return was, _instant(entry["DTSTART"].dt, clock.name_of(entry["DTSTART"]))


def _instant(moment: date, zone: str) -> datetime:
    """The instant of a local time, or of the midnight of a day, on the clock of the zone."""
    wall = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC).replace(microsecond=0)


def _first(value: Any) -> Any:
    return value.dts[0].dt if hasattr(value, "dts") else value.dt


def _is_cancelled(entry: Entry) -> bool:
    return str(entry.get("STATUS", "")).upper() == "CANCELLED"


def _zones(calendars: Iterable[Any], now: datetime) -> dict[str, str]:
    """The IANA names of all TZIDs that the calendars use; those that mean none are left out."""
    defined = {str(zone.get("TZID", "")): zone for each in calendars for zone in each.walk("VTIMEZONE")}
    used = set(defined)
    for each in calendars:
        for entry in each.walk("VEVENT"):
            for name in ("DTSTART", "RDATE", "EXDATE", "RECURRENCE-ID"):
                values = entry.get(name, [])
                for value in values if isinstance(values, list) else [values]:
                    if given := getattr(value, "params", {}).get("TZID"):
                        used.add(str(given))
    found = {tzid: iana_name(tzid, defined.get(tzid), now) for tzid in used}
    return {tzid: name for tzid, name in found.items() if name is not None}


def _own_zone(calendars: Iterable[Any]) -> str:
    for each in calendars:
        given = str(each.get("X-WR-TIMEZONE", ""))
        if given and (name := iana_name(given, None, datetime.min.replace(tzinfo=UTC))):
            return name
    return "UTC"


def _wrong(problem: str, name: str, uid: str | None) -> FieldError:
    where = name if uid is None else f"event {name}"
    return FieldError(field=where, value=uid, allowed=problem)
