"""The logs of all services: their number, new kinds of errors, and the logs themselves."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.source import variables
from grafana.source.layout import Section, lay_out
from grafana.source.links import INCIDENT_OF_ROW, INCIDENT_OF_SERIES, LOG_OVERVIEW, TRACE_OF_ROW
from grafana.source.panels import Column, PanelBuilder, bars, lines, log_lines, rows, stats
from grafana.source.sql import (
    BEFORE,
    ERROR_SHARE,
    IS_ERROR,
    KIND,
    LEVEL,
    NOW,
    chosen,
    error_rate,
    log_rows,
    matching,
    newest,
    now_and_before,
    sums,
    sums_over_time,
)
from grafana.source.targets import Sql

_OF_SERVICES: Final = chosen("ServiceName", "service")
_MOST_ERRORS: Final = 50_000
_MOST_MESSAGES: Final = 50_000


def dashboard() -> Dashboard:
    """The dashboard."""
    return lay_out(
        LOG_OVERVIEW,
        "Log overview",
        "The logs of all services: their number, new kinds of errors, and the logs themselves.",
        variables=[
            variables.services(),
            variables.levels(),
            variables.text("search", "Words", "Logs with all of these words, whole words in upper or lower case."),
            variables.text("user", "User", "Logs about this user."),
            variables.text("trace", "Trace", "Logs of this trace."),
        ],
        sections=[
            Section("Numbers", [_stats(), _by_level(), _error_rate()]),
            Section("Services and messages", [_services(), _new_errors(), _messages()]),
            Section("Logs", [_logs()]),
        ],
        refresh="10s",
    )


def _stats() -> PanelBuilder:
    both = now_and_before(lambda span: sums(["ServiceName", "SeverityNumber"], span, matching(span)))
    sql = (
        "SELECT sumIf(logged, is_now) AS logs, sumIf(logged, NOT is_now) AS before,"
        f" sumIf(logged, is_now AND {IS_ERROR}) AS errors,"
        f" sumIf(logged, NOT is_now AND {IS_ERROR}) AS errors_before,"
        f" uniqExactIf(ServiceName, is_now) AS services FROM {both}"
    )
    return stats(
        "Logs and errors",
        "The number of selected logs, now and in the period before. Errors are of level ERROR or worse. Whole minutes.",
        Sql("table", sql),
        unit="short",
        width=24,
    )


def _by_level() -> PanelBuilder:
    chosen_logs = sums_over_time(["SeverityText"], NOW, matching(NOW))
    sql = (
        f"SELECT $__timeInterval(step) AS time, {LEVEL} AS level, sum(logged) AS logs FROM {chosen_logs}"
        " GROUP BY time, level ORDER BY time"
    )
    return bars(
        "Logs by level",
        "The selected logs. Read from the counts of minutes and hours, unless words, a user or a trace are given.",
        Sql("timeseries", sql),
        name="${__field.labels.level}",
    )


def _error_rate() -> PanelBuilder:
    by_service = sums(["ServiceName", "SeverityNumber"], NOW, _OF_SERVICES)
    most = f"SELECT ServiceName FROM {by_service} GROUP BY ServiceName ORDER BY sumIf(logged, {IS_ERROR}) DESC LIMIT 10"
    over_time = sums_over_time(["ServiceName", "SeverityNumber"], NOW, f"ServiceName IN ({most})")
    sql = (
        f"SELECT $__timeInterval(step) AS time, ServiceName AS service, {ERROR_SHARE} AS share FROM {over_time}"
        " GROUP BY time, service ORDER BY time"
    )
    return lines(
        "Error rate by service",
        "The fraction of a service's logs of level ERROR or worse, for the ten services with most errors.",
        [Sql("timeseries", sql)],
        unit="percentunit",
        width=12,
        name="${__field.labels.service}",
        link=INCIDENT_OF_SERIES,
    )


def _services() -> PanelBuilder:
    both = now_and_before(lambda span: sums(["ServiceName", "SeverityNumber"], span, _OF_SERVICES))
    sql = (
        "SELECT ServiceName AS service, sumIf(logged, is_now) AS logs,"
        f" sumIf(logged, is_now AND {IS_ERROR}) AS errors, errors / nullIf(logs, 0) AS rate,"
        f" {error_rate('NOT is_now')} AS rate_before"
        f" FROM {both} GROUP BY service ORDER BY errors DESC, logs DESC LIMIT 100"
    )
    return rows(
        "Services",
        "Logs and errors of each service, and its error rate in the period before. Whole minutes.",
        Sql("table", sql),
        {
            "service": Column(link=INCIDENT_OF_ROW),
            "logs": Column("short"),
            "errors": Column("short"),
            "rate": Column("percentunit"),
            "rate_before": Column("percentunit"),
        },
    )


def _new_errors() -> PanelBuilder:
    is_error = f"{IS_ERROR} AND {_OF_SERVICES}"
    now = newest(
        f"Timestamp, ServiceName, TraceId, {KIND} AS kind", f"{NOW.newest_day.rows} AND {is_error}", _MOST_ERRORS
    )
    before = newest(f"ServiceName, {KIND} AS kind", f"{BEFORE.newest_day.rows} AND {is_error}", _MOST_ERRORS)
    sql = (
        "SELECT min(Timestamp) AS first_seen, ServiceName AS service, kind, count() AS errors, any(TraceId) AS trace"
        f" FROM {now} WHERE (ServiceName, kind) NOT IN (SELECT ServiceName, kind FROM {before})"
        " GROUP BY service, kind ORDER BY first_seen DESC LIMIT 50"
    )
    return rows(
        "New kinds of errors",
        "Errors that occur now and did not in the period before; messages that differ only in numbers and ids are of"
        f" one kind. Compares the newest {_MOST_ERRORS:,} errors of both periods, of at most a day.",
        Sql("table", sql),
        {
            "first_seen": Column("dateTimeAsIso", width=170),
            "service": Column(width=160, link=INCIDENT_OF_ROW),
            "errors": Column("short", width=80),
            "trace": Column(width=120, link=TRACE_OF_ROW),
        },
    )


def _messages() -> PanelBuilder:
    found = newest(
        f"{LEVEL} AS level, ServiceName AS service, {KIND} AS kind",
        f"{NOW.newest_day.rows} AND {matching(NOW)}",
        _MOST_MESSAGES,
    )
    sql = (
        "SELECT count() AS logs, count() / sum(count()) OVER () AS share, level, service, kind"
        f" FROM {found} GROUP BY level, service, kind ORDER BY logs DESC LIMIT 100"
    )
    return rows(
        "Most frequent messages",
        f"Among the newest {_MOST_MESSAGES:,} of the selected logs, without numbers and ids.",
        Sql("table", sql),
        {
            "logs": Column("short", width=80),
            "share": Column("percentunit", width=80),
            "level": Column(width=80),
            "service": Column(width=160, link=INCIDENT_OF_ROW),
        },
        width=24,
    )


def _logs() -> PanelBuilder:
    sql = log_rows(f"$__timeFilter_ms(Timestamp) AND {matching(NOW)}", 500)
    return log_lines(
        "Logs",
        "The newest 500 of the selected logs. Click one to see all of its fields.",
        Sql("logs", sql),
    )
