"""Grafana's dashboards and data sources, checked against Grafana, Prometheus and our metrics."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from grafana_foundation_sdk.models.prometheus import Dataquery

from grafana.source.__main__ import files
from local.paths import ROOT
from tests.support.dashboards import DASHBOARDS, Query, expand_promql, load, panels, queries
from tests.support.promql import exposed_series, series_in

QUERIES = [query for path in DASHBOARDS for query in queries(path)]
PROMQL = [query for query in QUERIES if query.datasource == "prometheus"]

# The keys of a query of Grafana's ClickHouse data source, and its number of each result format.
SQL_TARGET_KEYS = frozenset({"refId", "datasource", "pluginVersion", "editorType", "queryType", "format", "rawSql"})
SQL_FORMATS = {"timeseries": 0, "table": 1, "logs": 2}

each_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def test_the_files_are_those_that_the_source_makes() -> None:
    assert {path.name: path.read_text() for path in DASHBOARDS} == files(), "make dashboards"


def test_there_are_dashboards_with_queries_of_both_kinds() -> None:
    assert {query.datasource for query in QUERIES} == {"prometheus", "clickhouse"}


@each_dashboard
def test_grafana_knows_every_key_of_a_dashboard(path: Path) -> None:
    assert list(_lost(load(path), _encoded(Dashboard.from_json(load(path))))) == []


@each_dashboard
def test_grafana_knows_every_option_of_a_panel(path: Path) -> None:
    lost = []
    for panel in panels(path):
        kind = importlib.import_module(f"grafana_foundation_sdk.models.{panel['type']}")
        lost += _lost(panel["options"], _encoded(kind.Options.from_json(panel["options"])))
        if custom := panel["fieldConfig"]["defaults"].get("custom"):
            lost += _lost(custom, _encoded(kind.FieldConfig.from_json(custom)))
    assert lost == []


@each_dashboard
def test_data_sources_know_every_key_of_a_query(path: Path) -> None:
    targets = [target for panel in panels(path) for target in panel["targets"]]
    lost = [
        key for target in targets if "expr" in target for key in _lost(target, _encoded(Dataquery.from_json(target)))
    ]
    assert lost == []
    sql = [target for target in targets if "rawSql" in target]
    assert {frozenset(target) for target in sql} <= {SQL_TARGET_KEYS}
    assert [target["rawSql"] for target in sql if target["format"] != SQL_FORMATS[target["queryType"]]] == []


@each_dashboard
def test_panels_have_numbers_of_their_own_and_do_not_overlap(path: Path) -> None:
    placed = load(path)["panels"]
    assert len({panel["id"] for panel in placed}) == len(placed)
    cells = [cell for panel in placed for cell in _cells(panel["gridPos"])]
    assert len(set(cells)) == len(cells)
    assert max(column for column, _ in cells) < 24


@each_dashboard
def test_every_panel_says_what_it_shows(path: Path) -> None:
    assert [panel["title"] for panel in panels(path) if not panel["description"]] == []


@each_dashboard
def test_every_number_has_a_unit(path: Path) -> None:
    drawn = [panel for panel in panels(path) if panel["type"] in ("stat", "timeseries", "heatmap")]
    assert [panel["title"] for panel in drawn if not panel["fieldConfig"]["defaults"].get("unit")] == []


@each_dashboard
def test_links_lead_to_a_dashboard_and_to_variables_that_it_has(path: Path) -> None:
    known = {load(other)["uid"]: _variables(other) for other in DASHBOARDS}
    for url in re.findall(r'"url": "(/d/[^"]*)"', path.read_text()):
        uid, _, parameters = url.removeprefix("/d/").partition("?")
        given = set(re.findall(r"var-(\w+)=|\$\{(\w+):queryparam\}", parameters))
        assert {name for names in given for name in names if name} <= known[uid]
        assert "${__url_time_range}" in parameters or {"from", "to"} <= set(re.findall(r"(\w+)=", parameters))


@each_dashboard
def test_a_link_names_columns_that_its_query_has(path: Path) -> None:
    for panel in panels(path):
        sql = " ".join(target.get("rawSql", "") for target in panel["targets"])
        for column in re.findall(r"__(?:data\.fields|field\.labels)\.(\w+)", json.dumps(panel["fieldConfig"])):
            assert re.search(rf"\b{column}\b", sql), f"{panel['title']}: {column}"


@each_dashboard
def test_variables_stand_in_sql_only_where_nothing_gets_out_of_them(path: Path) -> None:
    """Of Grafana's formats these encode quotes and backslashes; `singlequote` and `sqlstring` leave backslashes."""
    for query in queries(path):
        if query.datasource == "clickhouse":
            safe = re.sub(r"'\$\{\w+:(percentencode|customqueryparam:v)\}'", "", query.text)
            assert "${" not in safe, str(query)
            assert re.findall(r"\$(?!__)(\w+)", safe) == re.findall(r", \$(\w+)\)", safe), str(query)


@each_dashboard
def test_every_table_and_list_of_logs_is_limited(path: Path) -> None:
    for query in queries(path):
        if query.kind in ("table", "logs", "variable"):
            assert re.search(r"LIMIT \d+$", query.text), str(query)


def test_dashboards_have_names_of_their_own() -> None:
    uids = [load(path)["uid"] for path in DASHBOARDS]
    assert len(set(uids)) == len(uids)


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_query_uses_a_configured_data_source(query: Query) -> None:
    provisioned = yaml.safe_load((ROOT / "grafana/provisioning/datasources/datasources.yaml").read_text())
    assert query.datasource in {source["uid"] for source in provisioned["datasources"]}


@pytest.mark.parametrize("query", PROMQL, ids=str)
def test_promql_uses_series_that_the_service_exposes(query: Query) -> None:
    names = series_in(expand_promql(query.text))
    assert names
    assert names - exposed_series() == set()


def _variables(path: Path) -> set[str]:
    return {variable["name"] for variable in load(path)["templating"].get("list", [])}


def _encoded(model: Any) -> Any:
    return json.loads(JSONEncoder().encode(model))


def _lost(given: Any, kept: Any, place: str = "") -> list[str]:
    """What is in `given` but missing or different in `kept`."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [
            line
            for key, value in given.items()
            for line in (_lost(value, kept[key], f"{place}/{key}") if key in kept else [f"{place}/{key}"])
        ]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [
            line
            for number, (one, other) in enumerate(zip(given, kept, strict=True))
            for line in _lost(one, other, f"{place}/{number}")
        ]
    return [] if given == kept else [f"{place}: {given!r} became {kept!r}"]


def _cells(position: dict[str, int]) -> list[tuple[int, int]]:
    columns = range(position["x"], position["x"] + position["w"])
    rows = range(position["y"], position["y"] + position["h"])
    return [(column, row) for column in columns for row in rows]
