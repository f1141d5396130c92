"""A curve as SVG: both axes logarithmic, so that cost = work^k is a straight line, whose slope is fitted.

Plain SVG in few lines: no library, and the colours follow the reader's light or dark page.
"""

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 640, 380
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 44, 52

Points = Sequence[tuple[float, float]]

_STYLE = """
text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 14px; font-weight: 600 }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.curve { stroke: #0969da; stroke-width: 2; fill: none }
.point { fill: #0969da }
.fit { stroke: #9a6700; stroke-width: 1.5; stroke-dasharray: 6 4 }
.fitted { fill: #9a6700 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .grid { stroke: #3d444d } .curve { stroke: #4493f8 } .point { fill: #4493f8 }
  .fit { stroke: #d29922 } .fitted { fill: #d29922 }
}
"""


def fit(points: Points) -> tuple[float, float] | None:
    """`(factor, exponent)` of cost = factor * work^exponent by least squares of the logarithms.

    None where that says nothing: fewer than two different amounts of work.
    """
    logs = [(math.log(work), math.log(cost)) for work, cost in points if work > 0 and cost > 0]
    if len({x for x, _ in logs}) < 2:
        return None
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    exponent = sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)
    return math.exp(mean_y - exponent * mean_x), exponent


def draw(title: str, work: str, cost: str, points: Points) -> str:
    """The picture; `work` and `cost` are the axes' names with their units."""
    shown = sorted((x, y) for x, y in points if x > 0 and y > 0)
    plane = _Plane(shown or [(1.0, 1.0)])
    fitted = fit(shown)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="20">{escape(title)}</text>',
        *plane.grid(),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">'
        f"{escape(work)}</text>",
        f'<text x="{LEFT - 60}" y="{TOP - 8}">{escape(cost)}</text>',
    ]
    if fitted:
        factor, exponent = fitted
        ends = [(x, factor * x**exponent) for x in (shown[0][0], shown[-1][0])]
        (x1, y1), (x2, y2) = (plane.at(*end) for end in ends)
        parts.append(f'<line class="fit" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
        label = f"fitted: grows as work to the power {exponent:.2f}"
        parts.append(f'<text class="fitted" x="{WIDTH - RIGHT}" y="20" text-anchor="end">{label}</text>')
    places = [plane.at(*point) for point in shown]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts.append(f'<polyline class="curve" points="{line}"/>')
    parts += [f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places]
    return "\n".join([*parts, "</svg>", ""])


class _Plane:
    """Where values stand in the picture; the axes reach over whole decades."""

    def __init__(self, points: Points) -> None:
        self._x = _decades([x for x, _ in points])
        self._y = _decades([y for _, y in points])

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels from the left and from the top."""
        across = (math.log10(x) - self._x[0]) / (self._x[1] - self._x[0])
        up = (math.log10(y) - self._y[0]) / (self._y[1] - self._y[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def grid(self) -> list[str]:
        """A line and a number for every decade of both axes."""
        found = []
        for power in range(self._x[0], self._x[1] + 1):
            x, _ = self.at(10.0**power, 10.0 ** self._y[0])
            found.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>')
            found.append(
                f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_short(power)}</text>'
            )
        for power in range(self._y[0], self._y[1] + 1):
            _, y = self.at(10.0 ** self._x[0], 10.0**power)
            found.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
            found.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(power)}</text>')
        return found


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _short(power: int) -> str:
    """`0.01`, `1`, `1,000`, `1 M`."""
    if power >= 6:
        return f"{10 ** (power - 6):,} M"
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:.{-power}f}"
