"""One service with a problem: its errors, what else changed at that time, and the logs around it."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.source import variables
from grafana.source.layout import Section, lay_out
from grafana.source.links import (
    INCIDENT,
    INCIDENT_OF_ROW,
    INCIDENT_OF_SERIES,
    TRACE_OF_ROW,
    Link,
    same,
)
from grafana.source.panels import Column, PanelBuilder, bars, lines, log_lines, rows, stats
from grafana.source.sql import (
    ERROR_SHARE,
    IS_ERROR,
    KIND,
    LEVEL,
    NOW,
    error_rate,
    log_rows,
    newest,
    now_and_before,
    quantile,
    quantiles,
    quantiles_now_and_before,
    response_times,
    response_times_over_time,
    sums,
    sums_over_time,
    typed,
)
from grafana.source.targets import Sql

_IS_SERVICE: Final = f"ServiceName = {typed('service')}"
_IS_OTHER: Final = f"ServiceName != {typed('service')}"
_MOST_ERRORS: Final = 50_000
_FAILED_TRACES: Final = 50

# The minute, and two minutes before and after it.
_AROUND: Final = Link(
    "The logs around this minute",
    INCIDENT,
    (same("service"), "from=${__data.fields.from_ms:raw}", "to=${__data.fields.to_ms:raw}"),
)


def dashboard() -> Dashboard:
    """The dashboard."""
    return lay_out(
        INCIDENT,
        "Incident",
        "One service with a problem: its errors, what else changed at that time, and the logs around it.",
        variables=[variables.service()],
        sections=[
            Section("${service}", [_stats(), _times(), _by_level(), _p95(), _kinds(), _spikes()]),
            Section("What else changed", [_others(), _slower(), _others_over_time()]),
            Section("Logs", [_logs(), _failed_traces()]),
        ],
    )


def _stats() -> PanelBuilder:
    both = now_and_before(lambda span: sums(["SeverityNumber"], span, _IS_SERVICE))
    sql = (
        "SELECT sumIf(logged, is_now) AS logs, sumIf(logged, NOT is_now) AS logs_before,"
        f" sumIf(logged, is_now AND {IS_ERROR}) AS errors, sumIf(logged, NOT is_now AND {IS_ERROR}) AS errors_before"
        f" FROM {both}"
    )
    return stats(
        "Logs and errors",
        "Of the service, now and in the period before. Errors are of level ERROR or worse. Whole minutes.",
        Sql("table", sql),
        unit="short",
        width=12,
    )


def _times() -> PanelBuilder:
    both = now_and_before(lambda span: response_times([], span, _IS_SERVICE))
    shown = quantiles_now_and_before((0.5, 0.95))
    return stats(
        "Response times",
        "Of the service, now and in the period before; within 0.8 %. Whole minutes.",
        Sql("table", f"SELECT {shown} FROM {both}"),
        unit="ms",
        width=12,
        decimals=1,
    )


def _by_level() -> PanelBuilder:
    over_time = sums_over_time(["SeverityText"], NOW, _IS_SERVICE)
    sql = (
        f"SELECT $__timeInterval(step) AS time, {LEVEL} AS level, sum(logged) AS logs FROM {over_time}"
        " GROUP BY time, level ORDER BY time"
    )
    return bars(
        "Logs by level",
        "Of the service. Select a spike with the mouse to see its logs below.",
        Sql("timeseries", sql),
        name="${__field.labels.level}",
    )


def _p95() -> PanelBuilder:
    measured = response_times_over_time([], NOW, _IS_SERVICE)
    shown = quantiles((0.5, 0.95, 0.99))
    sql = f"SELECT $__timeInterval(step) AS time, {shown} FROM {measured} GROUP BY time ORDER BY time"
    return lines("Response times", "Of the service; within 0.8 %.", [Sql("timeseries", sql)], unit="ms", width=12)


def _kinds() -> PanelBuilder:
    is_error = f"{IS_ERROR} AND {_IS_SERVICE}"
    columns = f"Timestamp, TraceId, {KIND} AS kind"
    both = now_and_before(lambda span: newest(columns, f"{span.newest_day.rows} AND {is_error}", _MOST_ERRORS))
    sql = (
        "SELECT kind, countIf(is_now) AS errors, countIf(NOT is_now) AS before, minIf(Timestamp, is_now) AS first_seen,"
        f" maxIf(Timestamp, is_now) AS last_seen, anyIf(TraceId, is_now) AS trace FROM {both}"
        " GROUP BY kind HAVING errors > 0 ORDER BY errors DESC LIMIT 50"
    )
    return rows(
        "Errors by kind",
        f"Messages without their numbers and ids. Counts the newest {_MOST_ERRORS:,} errors, and as many of the period"
        " before, of at most a day.",
        Sql("table", sql),
        {
            "errors": Column("short", width=80),
            "before": Column("short", width=80),
            "first_seen": Column("dateTimeAsIso", width=170),
            "last_seen": Column("dateTimeAsIso", width=170),
            "trace": Column(width=120, link=TRACE_OF_ROW),
        },
        width=16,
    )


def _spikes() -> PanelBuilder:
    minutes = sums_over_time([], NOW, f"{_IS_SERVICE} AND {IS_ERROR}")
    sql = (
        "SELECT step AS minute, sum(logged) AS errors, toUnixTimestamp(minute) * 1000 - 120000 AS from_ms,"
        f" (toUnixTimestamp(minute) + if($__interval_s < 3600, 60, 3600) + 120) * 1000 AS to_ms FROM {minutes}"
        " GROUP BY minute ORDER BY errors DESC LIMIT 20"
    )
    return rows(
        "Spikes",
        "The minutes with most errors, hours in a long time range. Click one to see the logs around it.",
        Sql("table", sql),
        {
            "minute": Column("dateTimeAsIso", link=_AROUND),
            "errors": Column("short", width=80),
            "from_ms": Column(is_hidden=True),
            "to_ms": Column(is_hidden=True),
        },
        width=8,
    )


def _others() -> PanelBuilder:
    both = now_and_before(lambda span: sums(["ServiceName", "SeverityNumber"], span, _IS_OTHER))
    sql = (
        f"SELECT ServiceName AS service, sumIf(logged, is_now) AS logs, sumIf(logged, NOT is_now) AS logs_before,"
        f" {error_rate('is_now')} AS rate, {error_rate('NOT is_now')} AS rate_before,"
        " ifNull(rate, 0) - ifNull(rate_before, 0) AS change"
        f" FROM {both} GROUP BY service ORDER BY abs(change) DESC LIMIT 50"
    )
    return rows(
        "Error rates of other services",
        "Services whose error rate changed most compared with the period before. Whole minutes.",
        Sql("table", sql),
        {
            "service": Column(link=INCIDENT_OF_ROW),
            "logs": Column("short"),
            "logs_before": Column("short"),
            "rate": Column("percentunit"),
            "rate_before": Column("percentunit"),
            "change": Column("percentunit"),
        },
    )


def _slower() -> PanelBuilder:
    both = now_and_before(lambda span: response_times(["ServiceName"], span, _IS_OTHER))
    sql = (
        f"SELECT ServiceName AS service, sumIf(logged, is_now) AS requests, {quantile(0.95, 'is_now')} AS p95,"
        f" {quantile(0.95, 'NOT is_now')} AS p95_before, p95 / nullIf(p95_before, 0) - 1 AS change"
        f" FROM {both} GROUP BY service HAVING requests > 0 ORDER BY change DESC LIMIT 50"
    )
    return rows(
        "Response times of other services",
        "Services that became slower come first; within 0.8 %. Whole minutes.",
        Sql("table", sql),
        {
            "service": Column(link=INCIDENT_OF_ROW),
            "requests": Column("short"),
            "p95": Column("ms"),
            "p95_before": Column("ms"),
            "change": Column("percentunit"),
        },
    )


def _others_over_time() -> PanelBuilder:
    by_service = sums(["ServiceName"], NOW, f"{_IS_OTHER} AND {IS_ERROR}")
    most = f"SELECT ServiceName FROM {by_service} GROUP BY ServiceName ORDER BY sum(logged) DESC LIMIT 10"
    over_time = sums_over_time(["ServiceName", "SeverityNumber"], NOW, f"ServiceName IN ({most})")
    sql = (
        "SELECT $__timeInterval(step) AS time, ServiceName AS service,"
        f" {ERROR_SHARE} AS share FROM {over_time} GROUP BY time, service ORDER BY time"
    )
    return lines(
        "Error rates of other services",
        "The fraction of a service's logs of level ERROR or worse, for the ten other services with most errors.",
        [Sql("timeseries", sql)],
        unit="percentunit",
        width=24,
        name="${__field.labels.service}",
        link=INCIDENT_OF_SERIES,
    )


def _logs() -> PanelBuilder:
    return log_lines(
        "Logs of the service",
        "All levels, the newest 500 of the time range; choose a short one around a spike.",
        Sql("logs", log_rows(f"$__timeFilter_ms(Timestamp) AND {_IS_SERVICE}", 500)),
        width=12,
    )


def _failed_traces() -> PanelBuilder:
    failed = newest(
        "TraceId", f"{NOW.newest_day.rows} AND {_IS_SERVICE} AND {IS_ERROR} AND TraceId != ''", _FAILED_TRACES
    )
    return log_lines(
        "Failed traces, in all services",
        f"Logs of {_FAILED_TRACES} of the newest traces in which the service wrote an error, of at most a day.",
        Sql("logs", log_rows(f"{NOW.newest_day.rows} AND TraceId IN {failed}", 500)),
        width=12,
    )
