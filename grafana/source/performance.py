"""Response times: by service, over time, and compared with the period before."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from app.query.rollups import FIVE_MINUTES
from grafana.source import variables
from grafana.source.layout import Section, lay_out
from grafana.source.links import INCIDENT_OF_ROW, INCIDENT_OF_SERIES, PERFORMANCE, TRACE_OF_ROW, USER_OF_ROW
from grafana.source.panels import Column, PanelBuilder, heat_map, lines, rows, stats
from grafana.source.sql import (
    BEFORE,
    NOW,
    TABLE,
    chosen,
    now_and_before,
    quantile,
    quantiles,
    quantiles_now_and_before,
    response_times,
    response_times_over_time,
    slowest,
)
from grafana.source.targets import Sql

_OF_SERVICES: Final = chosen("ServiceName", "service")
_WITHIN: Final = "Quantiles are read from buckets and within 0.8 % of the exact values. Whole minutes."
_SLOWEST: Final = 50
# A row of the heat map for each doubling of milliseconds, up to a minute.
_DOUBLINGS: Final = range(17)


def dashboard() -> Dashboard:
    """The dashboard."""
    return lay_out(
        PERFORMANCE,
        "Performance",
        "Response times: by service, over time, and compared with the period before.",
        variables=[variables.services()],
        sections=[
            Section("Response times", [_stats(), _over_time(), _against_before(), _heatmap(), _by_service()]),
            Section("Services and requests", [_services(), _slowest()]),
        ],
    )


def _stats() -> PanelBuilder:
    both = now_and_before(lambda span: response_times([], span, _OF_SERVICES))
    shown = quantiles_now_and_before((0.5, 0.95, 0.99))
    return stats(
        "Response times",
        f"Half, 95 and 99 of 100 requests took no longer; before: in the period before. {_WITHIN}",
        Sql("table", f"SELECT {shown} FROM {both}"),
        unit="ms",
        width=24,
        decimals=1,
    )


def _over_time() -> PanelBuilder:
    measured = response_times_over_time([], NOW, _OF_SERVICES)
    shown = quantiles((0.5, 0.95, 0.99))
    return lines(
        "Response times",
        f"Of all requests of the chosen services. {_WITHIN}",
        [
            Sql(
                "timeseries",
                f"SELECT $__timeInterval(step) AS time, {shown} FROM {measured} GROUP BY time ORDER BY time",
            )
        ],
        unit="ms",
        width=12,
    )


def _against_before() -> PanelBuilder:
    now = response_times_over_time([], NOW, _OF_SERVICES)
    before = response_times_over_time([], BEFORE, _OF_SERVICES)
    moved = f"(SELECT step + ($__toTime - $__fromTime) AS moved, value, logged FROM {before})"
    p95 = quantile(0.95)
    return lines(
        "p95, now and before",
        f"The period before is drawn over the time range. {_WITHIN}",
        [
            Sql(
                "timeseries",
                f"SELECT $__timeInterval(step) AS time, {p95} AS now FROM {now} GROUP BY time ORDER BY time",
            ),
            Sql(
                "timeseries",
                f"SELECT $__timeInterval(moved) AS time, {p95} AS before FROM {moved} GROUP BY time ORDER BY time",
                "B",
            ),
        ],
        unit="ms",
        width=12,
    )


def _heatmap() -> PanelBuilder:
    measured = response_times_over_time([], NOW, _OF_SERVICES)
    first, last = _DOUBLINGS[0], _DOUBLINGS[-1]
    columns = [f'sumIf(logged, value < {2**first:d}) AS "below {_as_text(2**first)}"']
    columns += [
        f'sumIf(logged, value >= {2**n:d} AND value < {2 ** (n + 1):d}) AS "{_as_text(2**n)}"' for n in _DOUBLINGS[:-1]
    ]
    columns += [f'sumIf(logged, value >= {2**last:d}) AS "{_as_text(2**last)} or more"']
    sql = f"SELECT $__timeInterval(step) AS time, {', '.join(columns)} FROM {measured} GROUP BY time ORDER BY time"
    return heat_map(
        "Distribution of response times",
        "A row counts the requests that took at least its time, and less than the next row's. Whole minutes.",
        Sql("timeseries", sql),
    )


def _by_service() -> PanelBuilder:
    busiest = (
        f"SELECT ServiceName FROM {response_times(['ServiceName'], NOW, _OF_SERVICES)}"
        " GROUP BY ServiceName ORDER BY sum(logged) DESC LIMIT 10"
    )
    measured = response_times_over_time(["ServiceName"], NOW, f"ServiceName IN ({busiest})")
    sql = (
        f"SELECT $__timeInterval(step) AS time, ServiceName AS service, {quantile(0.95)} AS p95 FROM {measured}"
        " GROUP BY time, service ORDER BY time"
    )
    return lines(
        "p95 by service",
        f"The ten services with most requests. {_WITHIN}",
        [Sql("timeseries", sql)],
        unit="ms",
        width=12,
        name="${__field.labels.service}",
        link=INCIDENT_OF_SERIES,
    )


def _services() -> PanelBuilder:
    both = now_and_before(lambda span: response_times(["ServiceName"], span, _OF_SERVICES))
    shown = quantiles((0.5, 0.95, 0.99), "is_now")
    sql = (
        f"SELECT ServiceName AS service, sumIf(logged, is_now) AS requests, {shown},"
        f" {quantile(0.95, 'NOT is_now')} AS p95_before, p95 / nullIf(p95_before, 0) - 1 AS change"
        f" FROM {both} GROUP BY service HAVING requests > 0 ORDER BY p95 DESC LIMIT 100"
    )
    times = {name: Column("ms") for name in ("p50", "p95", "p99", "p95_before")}
    return rows(
        "Services",
        f"The slowest first; change is that of p95 compared with the period before. {_WITHIN}",
        Sql("table", sql),
        {
            "service": Column(link=INCIDENT_OF_ROW),
            "requests": Column("short"),
            **times,
            "change": Column("percentunit"),
        },
        height=12,
    )


def _slowest() -> PanelBuilder:
    day = NOW.newest_day
    sql = (
        "SELECT Timestamp AS time, ResponseTimeMs AS took, ServiceName AS service, Body AS message, UserId AS user,"
        f" TraceId AS trace FROM {TABLE} WHERE ({FIVE_MINUTES}, ServiceName) IN {slowest(day, _OF_SERVICES, _SLOWEST)}"
        f" AND {day.rows} AND isNotNull(ResponseTimeMs) ORDER BY ResponseTimeMs DESC LIMIT {_SLOWEST}"
    )
    return rows(
        "Slowest requests",
        "The fifty slowest, of at most a day.",
        Sql("table", sql),
        {
            "time": Column("dateTimeAsIso", width=170),
            "took": Column("ms", width=90),
            "service": Column(width=140, link=INCIDENT_OF_ROW),
            "user": Column(width=90, link=USER_OF_ROW),
            "trace": Column(width=120, link=TRACE_OF_ROW),
        },
        height=12,
    )


def _as_text(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2g} s"
