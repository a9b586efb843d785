"""Grafana's dashboards as the tests read them: their queries, with macros and variables filled in."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
DASHBOARDS = sorted((PROJECT / "grafana/dashboards").glob("*.json"))


@dataclass(frozen=True)
class Query:
    """One query of a panel or of a variable. `text` is PromQL or SQL as it stands in the file."""

    dashboard: str
    title: str
    datasource: str
    text: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.title}"


@dataclass(frozen=True)
class View:
    """What a person has chosen at the top of a dashboard. A variable that is not named stands on All."""

    start: datetime
    end: datetime
    interval_secs: int
    variables: Mapping[str, str]


def load(path: Path) -> dict[str, Any]:
    """The dashboard in a file."""
    dashboard: dict[str, Any] = json.loads(path.read_text())
    return dashboard


def queries(path: Path) -> Iterator[Query]:
    """All queries of a dashboard."""
    dashboard = load(path)
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield Query(path.stem, variable["name"], variable["datasource"]["uid"], variable["query"]["rawSql"])
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            text = target["rawSql"] if "rawSql" in target else target["expr"]
            yield Query(path.stem, panel["title"], target["datasource"]["uid"], text)


def expand_sql(sql: str, view: View) -> str:
    """What reaches ClickHouse: first the browser's part (variables), then the macros of Grafana's data source.

    As in grafana/clickhouse-datasource: src/data/CHDatasource.ts and pkg/macros/macros.go.
    """

    def condition(found: re.Match[str]) -> str:
        return found["condition"] if found["variable"] in view.variables else "1=1"

    def value(found: re.Match[str]) -> str:
        chosen = view.variables.get(found["variable"], "")
        return "'" + chosen.replace("\\", "\\\\").replace("'", "\\'") + "'"

    sql = re.sub(r"\$__conditionalAll\((?P<condition>.*?),\s*\$(?P<variable>\w+)\)", condition, sql)
    sql = re.sub(r"\$\{(?P<variable>\w+):singlequote\}", value, sql)
    start, end = (f"toDateTime({moment.timestamp():.0f})" for moment in (view.start, view.end))
    start_ms, end_ms = (
        f"fromUnixTimestamp64Milli({moment.timestamp() * 1000:.0f})" for moment in (view.start, view.end)
    )
    bucket = f"INTERVAL {view.interval_secs} second"
    macros = {
        r"\$__timeFilter_ms\((\w+)\)": rf"\1 >= {start_ms} AND \1 <= {end_ms}",
        r"\$__timeFilter\((\w+)\)": rf"\1 >= {start} AND \1 <= {end}",
        r"\$__fromTime\b": start,
        r"\$__toTime\b": end,
        r"\$__timeInterval\((\w+\(\w+\)|\w+)\)": rf"toStartOfInterval(toDateTime(\1), {bucket})",
    }
    for macro, expansion in macros.items():
        sql = re.sub(macro, expansion, sql)
    assert "$" not in sql, f"not a macro or variable that is known here: {sql}"
    return sql


def expand_promql(expression: str) -> str:
    """What reaches Prometheus."""
    return expression.replace("$__rate_interval", "1m")
