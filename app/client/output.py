"""Rows of the API as text for people, JSON, CSV, or messages alone."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.client.log_line import log_line, text_of
from app.console import json_line, printable
from app.csv_cells import inert


class LogWriter:
    """Writes logs one by one, in a format. `is_terminal` is whether the output goes to one."""

    def __init__(self, output: str, *, is_terminal: bool, in_colour: bool, are_chosen: bool) -> None:
        self._output = output
        self._is_terminal = is_terminal
        self._in_colour = in_colour
        self._are_chosen = are_chosen
        self._columns: Sequence[str] | None = None

    def text(self, log: Mapping[str, Any]) -> str:
        """A log, without the end of its last line; the first one of CSV after a line of names."""
        if self._output == "json":
            return json.dumps(log) if self._is_terminal else json_line(log)
        if self._output == "raw":
            message = text_of(log.get("message", ""))
            return printable(message) if self._is_terminal else message
        if self._output == "csv":
            return self._csv(log)
        return log_line(log, in_colour=self._in_colour, are_chosen=self._are_chosen)

    def _csv(self, log: Mapping[str, Any]) -> str:
        lines: list[Sequence[Any]] = []
        if self._columns is None:
            self._columns = list(log)
            lines.append(self._columns)
        lines.append([log.get(name) for name in self._columns])
        return _csv_lines(lines, is_terminal=self._is_terminal)


def table(rows: Sequence[Mapping[str, Any]], output: str, *, is_terminal: bool) -> str:
    """Rows of aggregates, fields or values, without the end of the last line."""
    if output == "json":
        return "\n".join(json.dumps(row) if is_terminal else json_line(row) for row in rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    if output == "csv":
        return _csv_lines([names, *([row.get(name) for name in names] for row in rows)], is_terminal=is_terminal)
    return _aligned(names, rows)


def _aligned(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Columns side by side, numbers on the right."""
    cells = [[printable(_cell(row.get(name)), keep="") for name in names] for row in rows]
    numeric = [all(isinstance(row.get(name), int | float | None) for row in rows) for name in names]
    heads = [printable(name, keep="") for name in names]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if is_number else text.ljust(width)
            for text, width, is_number in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in (heads, *cells)
    )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    return text_of(value)


def _csv_lines(lines: Iterable[Iterable[Any]], *, is_terminal: bool) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_csv_cell(value) for value in line] for line in lines)
    written = text.getvalue().removesuffix("\n")
    return printable(written) if is_terminal else written


def _csv_cell(value: Any) -> Any:
    """A value that a spreadsheet does not take for a formula."""
    return value if value is None or isinstance(value, int | float) else inert(text_of(value))
