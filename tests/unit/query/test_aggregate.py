"""Which statement answers a question for figures: from sums of minutes where these are enough, else from rows."""

from __future__ import annotations

import pytest

from app.query.aggregate import Aggregate, Function, read_functions
from app.query.condition import condition_of
from app.query.errors import BadParameter
from app.query.language import parse
from app.query.time_range import SECOND_NS, TimeRange

HOUR = TimeRange(0, 3600 * SECOND_NS)
FROM_MINUTES = "toStartOfMinute(Timestamp) AS minute"


def aggregate(
    query: str = "",
    *,
    functions: str = "count",
    field: str = "",
    by: tuple[str, ...] = (),
    span: TimeRange = HOUR,
    interval_secs: int | None = None,
) -> Aggregate:
    condition = condition_of(parse(query).tree)
    return Aggregate(condition, span, read_functions(functions, field), by, interval_secs)


@pytest.mark.parametrize(
    "asked",
    [
        aggregate(),
        aggregate("level:error"),
        aggregate("level:>=warn service:checkout"),
        aggregate("NOT (service:a OR service:pay*)"),
        aggregate(by=("service", "level")),
        aggregate(interval_secs=60),
        aggregate(interval_secs=600, by=("level",)),
        aggregate(functions="count,sum,avg", field="response_time_ms", by=("service",)),
        aggregate(functions="avg", field="duration_ms"),  # another name of the same
    ],
)
def test_what_is_made_of_counts_and_sums_by_service_and_level_comes_from_minutes(asked: Aggregate) -> None:
    assert FROM_MINUTES in asked.statement.sql


@pytest.mark.parametrize(
    "asked",
    [
        aggregate("timeout"),
        aggregate("user_id:7"),
        aggregate("http.status_code:500"),
        aggregate("response_time_ms:>5"),
        aggregate(by=("user_id",)),
        aggregate(by=("route",)),
        aggregate(interval_secs=30),
        aggregate(functions="p99", field="response_time_ms"),
        aggregate(functions="max", field="response_time_ms"),
        aggregate(functions="sum", field="bytes"),
        aggregate(span=TimeRange(1, 59 * SECOND_NS)),
    ],
)
def test_everything_else_comes_from_rows(asked: Aggregate) -> None:
    assert FROM_MINUTES not in asked.statement.sql


def test_only_the_edges_of_a_range_that_cuts_minutes_come_from_rows() -> None:
    whole = aggregate(span=TimeRange(60 * SECOND_NS, 120 * SECOND_NS)).statement.sql
    cut = aggregate(span=TimeRange(59 * SECOND_NS, 121 * SECOND_NS)).statement.sql

    assert whole.count("UNION ALL") == 0
    assert cut.count("UNION ALL") == 2
    assert cut.count("fromUnixTimestamp64Nano(59000000000") == 1


@pytest.mark.parametrize("names", ["", "mean", "p", "p100.5x", "p101", "count,avrage", "sum("])
def test_a_function_that_is_not_known_is_refused(names: str) -> None:
    with pytest.raises(BadParameter, match="is not known") as caught:
        read_functions(names, "response_time_ms")

    assert caught.value.parameter == "function"


def test_a_function_without_its_field_is_refused_but_for_a_count() -> None:
    assert read_functions("count", "") == [Function("count")]
    with pytest.raises(BadParameter, match="needs a field"):
        read_functions("avg", "")


def test_figures_of_a_field_that_holds_no_numbers_are_refused() -> None:
    with pytest.raises(BadParameter, match="holds no numbers"):
        _ = aggregate(functions="avg", field="service").statement


def test_names_of_attributes_are_bound() -> None:
    statement = aggregate(by=("x') FROM system.users --",)).statement

    assert "system.users" not in statement.sql
    assert "x') FROM system.users --" in statement.parameters.values()
