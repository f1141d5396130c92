"""What `rrcli simulate` shows: a table of peaks, what they need, and the load as a picture in characters."""

import math
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any

import click

from rrcli.cli import times
from rrcli.cli.state import State
from rrcli.cli.tables import Column, table, title
from rrcli.cli.text import count, pad, wrap
from rrcli.core.capacity_figures import MEASURED
from rrcli.core.load import HOUR_SECONDS, MINUTE_SECONDS, Load, Peak, percentile
from rrcli.core.timefmt import format_instant, parse_instant
from rrcli.operations.simulate import Simulation
from rrcli.settings import Settings

_SHADES = " ·░▒▓█"
_BARS = " ▁▂▃▄▅▆▇█"
_MOST_ROWS = 31
_MOST_WORKERS = 10_000
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def summary(
    simulation: Simulation, settings: Settings, call_seconds: float, most_late_seconds: float
) -> dict[str, Any]:
    """The figures as JSON; `with_jitter` only where that was asked for."""
    found: dict[str, Any] = {
        "start": format_instant(simulation.start),
        "end": format_instant(simulation.end),
        "schedules": simulation.schedules,
        "call_seconds": call_seconds,
        "most_late_seconds": most_late_seconds,
        "as_scheduled": _figures(simulation.load, settings, call_seconds, most_late_seconds),
    }
    if simulation.smoothed is not None:
        found["jitter_seconds"] = simulation.jitter_seconds
        found["with_jitter"] = _figures(simulation.smoothed, settings, call_seconds, most_late_seconds)
    return found


def _figures(load: Load, settings: Settings, call_seconds: float, most_late: float) -> dict[str, Any]:
    minutes = load.sums(MINUTE_SECONDS)
    per_worker = _per_worker(settings, call_seconds)
    return {
        "events": load.total,
        "busiest_second": _peak(load.peak(1)),
        "busiest_minute": _peak(load.peak(MINUTE_SECONDS)),
        "busiest_hour": _peak(load.peak(HOUR_SECONDS)),
        "median_minute": percentile(minutes, 0.5),
        "p99_minute": percentile(minutes, 0.99),
        "calls_at_once": load.calls_at_once(call_seconds),
        "one_worker_per_second": per_worker,
        "one_worker_most_late_seconds": round(load.most_late_seconds(per_worker), 3),
        "workers": _workers(load, per_worker, most_late),
    }


def _peak(peak: Peak) -> dict[str, Any]:
    return {"events": peak.events, "start": format_instant(peak.start) if peak.events else None}


def _per_worker(settings: Settings, call_seconds: float) -> float:
    """Calls a second of one worker process: by its CPU (docs/capacity.md), and by its calls in flight."""
    slots = settings.worker.count * settings.worker.concurrency
    return min(1_000_000 / MEASURED.work.busy_us, slots / call_seconds)


def _workers(load: Load, per_worker: float, most_late_seconds: float) -> int:
    """The fewest worker processes that start every call in time."""
    low, high = 1, 1
    while high < _MOST_WORKERS and load.most_late_seconds(per_worker * high) > most_late_seconds:
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        if load.most_late_seconds(per_worker * middle) > most_late_seconds:
            low = middle + 1
        else:
            high = middle
    return low


def page(state: State, simulation: Simulation, found: dict[str, Any]) -> str:
    """Everything, for people."""
    head = (
        f"{count(simulation.schedules, 'schedule')}, {count(simulation.days, 'day')} from "
        f"{times.with_offset(simulation.start, state.tz)}: {count(found['as_scheduled']['events'], 'event')}"
    )
    parts = [title(head), _table(state, simulation, found)]
    if simulation.load.total:
        parts += [_heat_map(state, simulation), _rush_hour(state, simulation)]
    return "\n\n".join(parts)


def _table(state: State, simulation: Simulation, found: dict[str, Any]) -> str:
    shown = [found[name] for name in ("as_scheduled", "with_jitter") if name in found]
    jitter = simulation.jitter_seconds
    titles = ["AS SCHEDULED", f"JITTER {times.span(jitter) if jitter else 0}"]
    columns = [Column("EVENTS DUE IN")]
    for name, _ in zip(titles, shown, strict=False):
        columns += [Column(name, right=True), Column("WHEN", keep=1)]
    rows = []
    for name, label in (
        ("busiest_second", "the busiest second"),
        ("busiest_minute", "the busiest minute"),
        ("busiest_hour", "the busiest hour"),
    ):
        rows.append([label, *_flat(_peak_cells(state, each[name]) for each in shown)])
    for name, label in (
        ("median_minute", "a median minute"),
        ("p99_minute", "99 % of minutes, at most"),
        ("calls_at_once", "Calls at once"),
        ("one_worker_most_late_seconds", "Latest start, one worker"),
        ("workers", "Worker processes needed"),
    ):
        spell = times.span if name.endswith("late_seconds") else "{:,}".format
        rows.append([label, *_flat((spell(each[name]), "") for each in shown)])
    rate = found["as_scheduled"]["one_worker_per_second"]
    note = (
        f"Calls take {times.span(found['call_seconds'])}; a worker process starts {rate:,.0f} a second; "
        f"none is to start more than {times.span(found['most_late_seconds'])} late."
    )
    lines = wrap(note, state.width)
    return "\n".join([table(columns, rows, width=state.width, rule=state.terminal), *lines])


def _peak_cells(state: State, peak: dict[str, Any]) -> tuple[str, str]:
    if peak["start"] is None:
        return "0", ""
    start = parse_instant(peak["start"], field="start")
    return f"{peak['events']:,}", times.absolute(start, state.tz)[5:]


def _flat(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [cell for pair in pairs for cell in pair]


def _heat_map(state: State, simulation: Simulation) -> str:
    """Hours across, days down; weekdays, on average, when the days are too many."""
    hours = _by_day(state, simulation)
    if len(hours) > _MOST_ROWS:
        hours = _by_weekday(hours)
    most = max(max(row) for _, row in hours)
    lines = [
        title(f"Events per hour, {times.zone_name(state.tz, simulation.start)}; █ is {most:,.0f}"),
        " " * 10 + "".join(f"{hour:02}".ljust(6) for hour in range(0, 24, 3)).rstrip(),
    ]
    for label, row in hours:
        shaded = "".join(_shade(each, most) * 2 for each in row)
        lines.append(f"{pad(label, 10)}{shaded}".rstrip())
    return "\n".join(lines)


def _by_day(state: State, simulation: Simulation) -> list[tuple[str, list[float]]]:
    days: dict[date, list[float]] = {}
    for minute, events in simulation.load.minutes():
        local = times.on_clock(minute, state.tz)
        days.setdefault(local.date(), [0.0] * 24)[local.hour] += events
    return [(f"{_WEEKDAYS[day.weekday()]} {day:%m-%d}", row) for day, row in days.items()]


def _by_weekday(days: Sequence[tuple[str, list[float]]]) -> list[tuple[str, list[float]]]:
    found = []
    for weekday in _WEEKDAYS:
        rows = [row for label, row in days if label.startswith(weekday)]
        means = [sum(row[hour] for row in rows) / max(len(rows), 1) for hour in range(24)]
        found.append((f"{weekday}, mean", means))
    return found


def _shade(value: float, most: float) -> str:
    if value <= 0:
        return _SHADES[0]
    return _SHADES[max(1, math.ceil(value / most * (len(_SHADES) - 1)))]


def _rush_hour(state: State, simulation: Simulation) -> str:
    """The minutes of the busiest hour, and with jitter the same ones."""
    start = simulation.load.peak(HOUR_SECONDS).start
    first = (start - simulation.start) // timedelta(minutes=1)
    lines = [title(f"The busiest hour, minute by minute, from {times.absolute(start, state.tz)} on")]
    for label, load in (("as is", simulation.load), ("jitter", simulation.smoothed)):
        if load is None:
            continue
        minutes = [events for _, events in islice(load.minutes(), first, first + 60)]
        most = max(minutes)
        bars = "".join(_BARS[math.ceil(each / most * (len(_BARS) - 1)) if most else 0] for each in minutes)
        lines.append(f"{label:<8}{pad(bars, 60)}  {click.style(f'█ {most:,}', dim=True)}")
    return "\n".join(lines)
