"""Series used in PromQL, and series that the service exposes."""

import promql_parser
from prometheus_client import CollectorRegistry

from app.metrics import Metrics


def exposed_series() -> set[str]:
    """The names of all series that the service exposes, as they appear in PromQL."""
    registry = CollectorRegistry()
    Metrics(registry, version="0")
    names = set()
    for metric in registry.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(metric.type, [""])
        names |= {metric.name + suffix for suffix in suffixes}
    return names


def series_in(expression: str) -> set[str]:
    """The names of the series in an expression.

    Raises:
        ValueError: it is not valid PromQL.
    """
    names: set[str] = set()

    def visit(part: promql_parser.Expr) -> None:
        selector = part.vector_selector if isinstance(part, promql_parser.MatrixSelector) else part
        if isinstance(selector, promql_parser.VectorSelector):
            names.add(selector.name or "")

    promql_parser.walk(promql_parser.parse(expression), visit)
    return names
