"""Loads Grafana's dashboards for tests: their queries, with macros and variables filled in."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from local.paths import ROOT

DASHBOARDS = sorted((ROOT / "grafana/dashboards").glob("*.json"))

_CONDITIONAL: Final = "$__conditionalAll("
_VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+):(?P<format>[\w:]+)\}")


@dataclass(frozen=True)
class Query:
    """One query of a panel or of a variable. `text` is the PromQL or SQL of the file."""

    dashboard: str
    title: str
    datasource: str
    text: str
    kind: str
    """The kind of panel, or `variable`."""
    ref_id: str = "A"

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.title} ({self.kind} {self.ref_id})"


@dataclass(frozen=True)
class View:
    """The selections at the top of a dashboard. Variables that are not given are All, or empty."""

    start: datetime
    end: datetime
    interval_secs: int
    variables: Mapping[str, str | Sequence[str]]


def load(path: Path) -> dict[str, Any]:
    """The dashboard in a file."""
    dashboard: dict[str, Any] = json.loads(path.read_text())
    return dashboard


def panels(path: Path) -> list[dict[str, Any]]:
    """The panels of a dashboard, without headings."""
    return [panel for panel in load(path)["panels"] if panel["type"] != "row"]


def queries(path: Path) -> Iterator[Query]:
    """All queries of a dashboard."""
    for variable in load(path)["templating"].get("list", []):
        if variable["type"] == "query":
            uid = variable["datasource"]["uid"]
            yield Query(path.stem, variable["name"], uid, variable["query"]["rawSql"], "variable")
    for panel in panels(path):
        for target in panel["targets"]:
            text = target["rawSql"] if "rawSql" in target else target["expr"]
            uid = target["datasource"]["uid"]
            yield Query(path.stem, panel["title"], uid, text, panel["type"], target["refId"])


def expand_sql(sql: str, view: View) -> str:
    """What reaches ClickHouse: first the browser's part (conditions, variables), then the macros of the data source.

    This follows Grafana's formatRegistry.ts, and in the data source's CHDatasource.ts and macros.go.
    """
    sql = _VARIABLE.sub(lambda found: _formatted(found, view.variables), _without_all(sql, view.variables))
    start, end = (f"toDateTime({moment.timestamp():.0f})" for moment in (view.start, view.end))
    start_ms, end_ms = (
        f"fromUnixTimestamp64Milli({moment.timestamp() * 1000:.0f})" for moment in (view.start, view.end)
    )
    bucket = f"INTERVAL {view.interval_secs} second"
    macros = {
        r"\$__timeFilter_ms\((\w+)\)": rf"\1 >= {start_ms} AND \1 <= {end_ms}",
        r"\$__fromTime\b": start,
        r"\$__toTime\b": end,
        r"\$__interval_s\b": str(view.interval_secs),
        r"\$__timeInterval\((\w+)\)": rf"toStartOfInterval(toDateTime(\1), {bucket})",
    }
    for macro, expansion in macros.items():
        sql = re.sub(macro, expansion, sql)
    assert "$" not in sql, f"not a macro or variable that is known here: {sql}"
    return sql


def expand_promql(expression: str, rate_interval: str = "1m", time_range: str = "30m") -> str:
    """What reaches Prometheus."""
    return expression.replace("$__rate_interval", rate_interval).replace("$__range", time_range)


def _without_all(sql: str, variables: Mapping[str, str | Sequence[str]]) -> str:
    """Drop conditions on variables that are All or empty."""
    while (start := sql.rfind(_CONDITIONAL)) >= 0:
        condition, variable, end = _arguments(sql, start + len(_CONDITIONAL))
        sql = sql[:start] + (condition if variables.get(variable.strip(" $")) else "1=1") + sql[end:]
    return sql


def _arguments(sql: str, start: int) -> tuple[str, str, int]:
    """The two arguments that begin here, split as the data source does (ignoring quotes), and their end."""
    depth, comma = 0, -1
    for index in range(start, len(sql)):
        if sql[index] == ")" and depth == 0:
            return sql[start:comma], sql[comma + 1 : index], index + 1
        depth += {"(": 1, ")": -1}.get(sql[index], 0)
        comma = index if sql[index] == "," and depth == 0 else comma
    raise AssertionError(f"not closed: {sql[start:]}")


def _formatted(found: re.Match[str], variables: Mapping[str, str | Sequence[str]]) -> str:
    value = variables.get(found["name"], "")
    match found["format"].split(":"):
        case ["percentencode"]:
            assert isinstance(value, str), f"{found['name']} can be several values, which this format mixes up"
            return quote(value, safe="")
        case ["customqueryparam", name]:
            values = [value] if isinstance(value, str) else value
            return "&".join(f"{name}={quote(one, safe='')}" for one in values)
    raise AssertionError(f"{found[0]}: a backslash or a quote would get out of this format")
