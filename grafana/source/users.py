"""Active users, the busiest users, and the errors and response times of one user."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.source import variables
from grafana.source.layout import Section, lay_out
from grafana.source.links import INCIDENT_OF_ROW, USER_OF_ROW, USERS
from grafana.source.panels import Column, PanelBuilder, bars, lines, log_lines, rows, stats
from grafana.source.sql import (
    IS_ERROR,
    LEVEL,
    NOW,
    TABLE,
    log_rows,
    now_and_before,
    of_user,
    sums_by_user,
    typed,
)
from grafana.source.targets import Sql

_USER: Final = typed("user")
_ANY_USER: Final = "UserId != ''"
_OF_USER: Final = f"{of_user(NOW.newest_day)} AND {NOW.newest_day.rows}"
_FIVE_MINUTES: Final = "Whole five minutes."
_A_DAY: Final = "Of at most a day."


def dashboard() -> Dashboard:
    """The dashboard."""
    return lay_out(
        USERS,
        "User behaviour",
        "Active users, the busiest users, and the errors and response times of one user.",
        variables=[variables.user()],
        sections=[
            Section("All users", [_stats(), _active(), _busiest()]),
            Section(
                "One user: ${user}",
                [_stats_of_one(), _times_of_one(), _logs_of_one(), _mean_of_one(), _services_of_one(), _timeline()],
            ),
        ],
    )


def _stats() -> PanelBuilder:
    both = now_and_before(lambda span: sums_by_user(span, _ANY_USER))
    sql = (
        "SELECT uniqIf(UserId, is_now) AS users, uniqIf(UserId, NOT is_now) AS before,"
        f" sumIf(logged, is_now) / nullIf(users, 0) AS logs_per_user FROM {both}"
    )
    return stats(
        "Active users",
        f"Users with logs, now and in the period before. {_FIVE_MINUTES}",
        Sql("table", sql),
        unit="short",
        width=24,
    )


def _active() -> PanelBuilder:
    sql = (
        f"SELECT $__timeInterval(step) AS time, uniq(UserId) AS users FROM {sums_by_user(NOW, _ANY_USER)}"
        " GROUP BY time ORDER BY time"
    )
    return lines(
        "Active users",
        f"Users with logs, over time. {_FIVE_MINUTES}",
        [Sql("timeseries", sql)],
        unit="short",
        width=12,
        height=10,
        shortest_step="5m",
    )


def _busiest() -> PanelBuilder:
    both = now_and_before(lambda span: sums_by_user(span, _ANY_USER))
    sql = (
        "SELECT UserId AS user, sumIf(logged, is_now) AS logs, sumIf(logged, NOT is_now) AS before,"
        " sumIf(total, is_now) / nullIf(sumIf(measured, is_now), 0) AS mean_ms"
        f" FROM {both} GROUP BY user HAVING logs > 0 ORDER BY logs DESC LIMIT 50"
    )
    return rows(
        "Busiest users",
        f"The users with most logs, their logs in the period before, and their mean response time. {_FIVE_MINUTES}",
        Sql("table", sql),
        {
            "user": Column(link=USER_OF_ROW),
            "logs": Column("short"),
            "before": Column("short"),
            "mean_ms": Column("ms"),
        },
        height=10,
    )


def _stats_of_one() -> PanelBuilder:
    sql = (
        f"SELECT count() AS logs, countIf({IS_ERROR}) AS errors, uniq(TraceId) AS traces FROM {TABLE} WHERE {_OF_USER}"
    )
    return stats("Logs and errors", f"Of the chosen user. {_A_DAY}", Sql("table", sql), unit="short", width=12)


def _times_of_one() -> PanelBuilder:
    quantiles = "quantile(0.5)(ResponseTimeMs) AS p50, quantile(0.95)(ResponseTimeMs) AS p95"
    sql = f"SELECT {quantiles}, max(ResponseTimeMs) AS slowest FROM {TABLE} WHERE {_OF_USER}"
    return stats("Response times", f"Of the chosen user. {_A_DAY}", Sql("table", sql), unit="ms", width=12, decimals=1)


def _logs_of_one() -> PanelBuilder:
    sql = (
        f"SELECT $__timeInterval(Timestamp) AS time, {LEVEL} AS level, count() AS logs FROM {TABLE}"
        f" WHERE {_OF_USER} GROUP BY time, level ORDER BY time"
    )
    return bars(
        "Logs by level",
        f"Of the chosen user. {_A_DAY}",
        Sql("timeseries", sql),
        name="${__field.labels.level}",
    )


def _mean_of_one() -> PanelBuilder:
    sql = (
        "SELECT $__timeInterval(step) AS time, sum(total) / nullIf(sum(measured), 0) AS mean"
        f" FROM {sums_by_user(NOW, f'UserId = {_USER}')} GROUP BY time ORDER BY time"
    )
    return lines(
        "Mean response time",
        f"Of the chosen user. {_FIVE_MINUTES}",
        [Sql("timeseries", sql)],
        unit="ms",
        width=12,
        shortest_step="5m",
    )


def _services_of_one() -> PanelBuilder:
    sql = (
        f"SELECT ServiceName AS service, count() AS logs, countIf({IS_ERROR}) AS errors,"
        " quantile(0.95)(ResponseTimeMs) AS p95, max(Timestamp) AS last_seen"
        f" FROM {TABLE} WHERE {_OF_USER} GROUP BY service ORDER BY errors DESC, logs DESC LIMIT 50"
    )
    return rows(
        "Services",
        f"The services that logged about the chosen user. {_A_DAY}",
        Sql("table", sql),
        {
            "service": Column(link=INCIDENT_OF_ROW),
            "logs": Column("short"),
            "errors": Column("short"),
            "p95": Column("ms"),
            "last_seen": Column("dateTimeAsIso"),
        },
        width=24,
        height=7,
    )


def _timeline() -> PanelBuilder:
    return log_lines(
        "Timeline",
        f"The newest 500 logs about the chosen user. {_A_DAY}",
        Sql("logs", log_rows(_OF_USER, 500)),
    )
