"""Charts as SVG: panels of lines, steps and dots over the same time, one below the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

_WIDTH, _PANEL_HEIGHT, _GAP = 960, 170, 46
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 34
_COLOURS: Final = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")


@dataclass(frozen=True, slots=True)
class Line:
    """Points of time in seconds and a value, in the order of time."""

    name: str
    points: Sequence[tuple[float, float]]
    kind: Literal["line", "step", "dots"] = "line"


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines with a common scale from 0."""

    title: str
    lines: Sequence[Line]


def chart(title: str, panels: Sequence[Panel], marks: Sequence[float] = ()) -> str:
    """An SVG document; `marks` are times at which a vertical line runs through all panels."""
    last = max(at for panel in panels for line in panel.lines for at, _ in line.points)
    height = _TOP + len(panels) * (_PANEL_HEIGHT + _GAP) + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif"'
        f' font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
    ]
    for number, panel in enumerate(panels):
        top = _TOP + number * (_PANEL_HEIGHT + _GAP)
        parts += _panel(panel, _Scale(top, last, _most(panel)), marks)
    return "\n".join([*parts, "</svg>", ""])


@dataclass(frozen=True, slots=True)
class _Scale:
    top: float
    last: float
    most: float

    def x(self, at: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * at / self.last

    def y(self, value: float) -> float:
        return self.top + _PANEL_HEIGHT * (1 - value / self.most)


def _most(panel: Panel) -> float:
    """A round number at or above all values."""
    most = max((value for line in panel.lines for _, value in line.points), default=1) or 1
    unit = 10.0 ** (len(str(int(most))) - 1)
    return next(unit * step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if unit * step >= most)


def _panel(panel: Panel, scale: _Scale, marks: Sequence[float]) -> Iterator[str]:
    yield _text(_LEFT, scale.top - 10, panel.title, "start", weight="bold")
    for share in (0.0, 0.5, 1.0):
        y = scale.y(share * scale.most)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
        yield _text(_LEFT - 6, y + 4, f"{share * scale.most:,g}", "end")
    for minute in range(int(scale.last) // 60 + 1):
        yield _text(scale.x(60 * minute), scale.top + _PANEL_HEIGHT + 16, f"{minute} min", "middle")
    for at in marks:
        yield f'<path d="M{scale.x(at):.1f} {scale.top}v{_PANEL_HEIGHT}" stroke="#aaa" stroke-dasharray="3 3"/>'
    for number, line in enumerate(panel.lines):
        colour = _COLOURS[number % len(_COLOURS)]
        yield from _drawn(line, scale, colour)
        yield _text(_WIDTH - _RIGHT - 150 * (len(panel.lines) - 1 - number), scale.top - 10, line.name, "end", colour)


def _drawn(line: Line, scale: _Scale, colour: str) -> Iterator[str]:
    points = [(scale.x(at), scale.y(value)) for at, value in line.points]
    if line.kind == "dots":
        for x, y in points:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}" fill-opacity="0.6"/>'
    elif points:
        steps = [f"H{x:.1f}V{y:.1f}" if line.kind == "step" else f"L{x:.1f} {y:.1f}" for x, y in points[1:]]
        start = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
        yield f'<path d="{start}{"".join(steps)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#444", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )
