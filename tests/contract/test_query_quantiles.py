"""Quantiles on the real engine: within 1 % of the exact ones at every magnitude, over buckets and over rows."""

from __future__ import annotations

import math
import struct
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Final

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.query_table import QueryTable
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

NOW_MS: Final = int(time.time()) // 60 * 60_000
MINUTE = {"start": str(NOW_MS - 60_000), "end": str(NOW_MS)}
QUANTILES: Final = {"p1": 0.01, "p50": 0.5, "p95": 0.95, "p99.9": 0.999}


@st.composite
def numbers(draw: st.DrawFn) -> float:
    """A number from 1e-12 to 1e24, positive or negative, or 0."""
    number = draw(st.floats(1, 10)) * 10.0 ** draw(st.integers(-12, 23))
    return draw(st.sampled_from((number, -number, 0.0)))


@pytest.fixture(scope="module")
def table(engine: RunningEngine) -> Iterator[QueryTable]:
    made = QueryTable(engine)
    yield made
    made.drop()


@pytest.fixture(scope="module")
def api(table: QueryTable) -> FlaskClient:
    return table.api()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(values=st.lists(numbers(), min_size=1, max_size=40))
def test_quantiles_are_within_one_percent_of_the_exact_ones(
    table: QueryTable, api: FlaskClient, values: list[float]
) -> None:
    service = uuid.uuid4().hex
    events = [{"message": "x", "service": service, "user_id": repr(n), "attributes": {"n": repr(n)}} for n in values]
    table.store([(NOW_MS - 30_000, {**event, "response_time_ms": n}) for event, n in zip(events, values, strict=True)])

    over_buckets = quantiles(api, f"service:{service}", "response_time_ms")
    over_rows = quantiles(api, f"service:{service} x", "response_time_ms")

    assert over_buckets == over_rows
    assert_near(over_rows, [float32(n) for n in values])
    for field in ("n", "user_id"):
        assert_near(quantiles(api, f"service:{service}", field), values)


def quantiles(api: FlaskClient, query: str, field: str) -> dict[str, float]:
    """All quantiles of a field, each declared to be an estimate."""
    asked = {**MINUTE, "query": query, "field": field, "function": ",".join(QUANTILES)}
    answer = api.get("/api/v1/stats", query_string=asked).json
    assert answer is not None
    assert answer["approximate"].keys() == QUANTILES.keys()
    [row] = answer["rows"]
    return dict(row)


def assert_near(found: dict[str, float], values: Sequence[float]) -> None:
    """The value of the exact rank, within 1 %."""
    ranked = sorted(values)
    for name, share in QUANTILES.items():
        exact = ranked[math.ceil(share * len(ranked)) - 1]
        assert found[name] == pytest.approx(exact, rel=0.01, abs=0), name


def float32(number: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", number))[0])
