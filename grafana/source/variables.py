"""The variables at the top of a dashboard."""

from grafana_foundation_sdk.builders.dashboard import QueryVariable, TextBoxVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from grafana.source.sql import IS_ERROR, LEVEL, NOW, sums, sums_by_user
from grafana.source.targets import CLICKHOUSE

_MOST_OPTIONS = 200


def services() -> QueryVariable:
    """Any number of services, initially all of them."""
    return _several("service", "Service", f"SELECT ServiceName FROM {_services('sum(logged)')}")


def service() -> QueryVariable:
    """One service, initially the one with most errors."""
    return _one("service", "Service", f"SELECT ServiceName FROM {_services(f'sumIf(logged, {IS_ERROR})')}")


def levels() -> QueryVariable:
    """Any number of levels, initially all of them."""
    by_level = sums(["SeverityText", "SeverityNumber"], NOW, "true")
    worst_first = f"GROUP BY level ORDER BY max(SeverityNumber) DESC LIMIT {_MOST_OPTIONS}"
    sql = f"SELECT {LEVEL} AS level FROM {by_level} {worst_first}"
    return _several("level", "Level", sql)


def user() -> QueryVariable:
    """One user, initially the busiest. Other users can be entered."""
    by_user = sums_by_user(NOW, "UserId != ''")
    sql = f"SELECT UserId FROM {by_user} GROUP BY UserId ORDER BY sum(logged) DESC LIMIT {_MOST_OPTIONS}"
    return _one("user", "User", sql)


def text(name: str, label: str, description: str) -> TextBoxVariable:
    """A text field, initially empty."""
    return (
        TextBoxVariable(name)
        .label(label)
        .description(description)
        .default_value("")
        .current(VariableOption(text="", value=""))
        .options([])
    )


def _services(order: str) -> str:
    by_service = sums(["ServiceName", "SeverityNumber"], NOW, "true")
    return f"{by_service} GROUP BY ServiceName ORDER BY {order} DESC LIMIT {_MOST_OPTIONS}"


def _several(name: str, label: str, sql: str) -> QueryVariable:
    everything = VariableOption(text=["All"], value=["$__all"])
    return _one(name, label, sql).multi(True).include_all(True).current(everything)


def _one(name: str, label: str, sql: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .datasource(CLICKHOUSE)
        .query({"editorType": "sql", "rawSql": sql})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
        .options([])
    )
