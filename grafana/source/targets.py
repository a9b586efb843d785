"""The queries of panels, with their data sources. The uids are those of provisioning/datasources."""

from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import QueryEditorMode

PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="prometheus")
CLICKHOUSE: Final = DataSourceRef(type_val="grafana-clickhouse-datasource", uid="clickhouse")

PLUGIN_VERSION: Final = "4.20.0"
_FORMATS: Final = {"timeseries": 0, "table": 1, "logs": 2}


@dataclass(frozen=True)
class Sql(Builder[Dataquery], Dataquery):
    """A query of Grafana's ClickHouse data source: `timeseries`, `table` or `logs`."""

    kind: str
    sql: str
    ref_id: str = "A"

    def build(self) -> Dataquery:
        """Returns itself: it is both builder and query."""
        return self

    def to_json(self) -> dict[str, object]:
        """The query as JSON of a dashboard."""
        return {
            "refId": self.ref_id,
            "datasource": CLICKHOUSE,
            "pluginVersion": PLUGIN_VERSION,
            "editorType": "sql",
            "queryType": self.kind,
            "format": _FORMATS[self.kind],
            "rawSql": self.sql,
        }


def promql(expression: str, legend: str = "", ref_id: str = "A") -> Builder[Dataquery]:
    """A query of Prometheus over the time range."""
    return (
        prometheus.Dataquery()
        .ref_id(ref_id)
        .datasource(PROMETHEUS)
        .editor_mode(QueryEditorMode.CODE)
        .expr(expression)
        .legend_format(legend)
        .range()
    )
