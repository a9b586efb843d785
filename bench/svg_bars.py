"""Bar charts as SVG: groups of horizontal bars, a bar for each series, all on one logarithmic or linear scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH, _LEFT, _RIGHT, _TOP = 960, 290, 90, 42
_BAR, _BETWEEN_GROUPS = 13, 9
_NAMES_IN_LINE, _NAME_WIDTH, _LINE = 2, 320, 18
_COLOURS: Final = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#7f7f7f")


@dataclass(frozen=True, slots=True)
class Group:
    """A name and a value for each series; None leaves the bar out."""

    name: str
    values: Sequence[float | None]


def bars(title: str, series: Sequence[str], groups: Sequence[Group], *, is_logarithmic: bool = False) -> str:
    """An SVG document. On a logarithmic scale a bar begins at the power of ten below the smallest value."""
    values = [value for group in groups for value in group.values if value]
    most = max(values, default=1.0)
    least = 10.0 ** math.floor(math.log10(min(values, default=1.0))) if is_logarithmic else 0.0
    row = len(series) * _BAR + _BETWEEN_GROUPS
    top = _TOP + math.ceil(len(series) / _NAMES_IN_LINE) * _LINE
    height = top + len(groups) * row + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif"'
        f' font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        _text(12, 22, title, "start", weight="bold"),
    ]
    for number, name in enumerate(series):
        line, place = divmod(number, _NAMES_IN_LINE)
        x, y = _LEFT + _NAME_WIDTH * place, _TOP + 2 + _LINE * line
        parts.append(_text(x, y, name, "start", _COLOURS[number % len(_COLOURS)]))
    for number, group in enumerate(groups):
        parts += _group(group, top + number * row, least, most)
    return "\n".join([*parts, "</svg>", ""])


def _group(group: Group, top: float, least: float, most: float) -> Iterator[str]:
    yield _text(_LEFT - 8, top + len(group.values) * _BAR / 2 + 4, group.name, "end")
    for number, value in enumerate(group.values):
        if value is None:
            continue
        y, width = top + number * _BAR, _length(value, least, most)
        colour = _COLOURS[number % len(_COLOURS)]
        yield f'<rect x="{_LEFT}" y="{y:.1f}" width="{width:.1f}" height="{_BAR - 2}" fill="{colour}"/>'
        yield _text(_LEFT + width + 5, y + _BAR - 3, _number(value), "start")


def _length(value: float, least: float, most: float) -> float:
    space = _WIDTH - _LEFT - _RIGHT
    if least and most > least:
        return space * max(0.0, math.log10(max(value, least) / least) / math.log10(most / least))
    return space * value / most


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#444", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )
