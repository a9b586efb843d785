"""The kinds of query that are timed; each query searches for other values."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from bench.history import PARTITIONS, ROUTES, SERVICES, TOPIC_ID, USERS, route, service_name
from bench.stack import DATABASE, BenchStack

Parameters = dict[str, str]

_COMMON_WORDS: Final = ("request", "block", "session", "payment", "user", "received", "query", "authentication")
_PHRASES: Final = (
    *("connection reset by peer", "routed to upstream", "failed password for invalid user", "authentication failure"),
    *("slower than its limit", "card issuer", "loaded from replica", "took", "published to exchange"),
)
_SAMPLED: Final = 400


@dataclass(frozen=True, slots=True)
class SearchValues:
    """Values that exist in a table: ids of logs, traces and rare words."""

    ids: Sequence[str]
    traces: Sequence[str]
    rare_words: Sequence[str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of query."""

    name: str
    path: str
    parameters: Callable[[Random, SearchValues], Parameters]
    is_cheap: bool = True
    """Gets a thousand samples; the others get two hundred."""


def _service(rng: Random) -> str:
    return service_name(int(SERVICES * rng.random() ** 3))


def _user(rng: Random) -> str:
    return str(int(USERS * rng.random() ** 4))


def _route(rng: Random) -> str:
    return route(int(ROUTES * rng.random() ** 2))


def _logs(query: str, days: int = 30) -> Parameters:
    return {"query": query, "start": f"now-{days}d"}


def _stats(query: str, days: int, **others: str) -> Parameters:
    return {"query": query, "start": f"now-{days}d", **others}


_LEVELS: Final = ("debug", "info", "warn", "error")
_DURATION: Final = {"function": "p99", "field": "response_time_ms", "by": "service"}

KINDS: Final = (
    Kind("newest of all", "/logs", lambda _rng, _values: _logs("")),
    Kind(
        "service and level",
        "/logs",
        lambda rng, _values: _logs(f"service:{_service(rng)} level:{rng.choice(_LEVELS)}", 1),
    ),
    Kind("rare word", "/logs", lambda rng, values: _logs(rng.choice(values.rare_words))),
    Kind("common word", "/logs", lambda rng, _values: _logs(rng.choice(_COMMON_WORDS))),
    Kind("phrase", "/logs", lambda rng, _values: _logs(f'"{rng.choice(_PHRASES)}"')),
    Kind("trace", "/logs", lambda rng, values: _logs(f"trace_id:{rng.choice(values.traces)}")),
    Kind("user", "/logs", lambda rng, _values: _logs(f"user_id:{_user(rng)}")),
    Kind("attribute", "/logs", lambda rng, _values: _logs(f'http.route:"{_route(rng)}" level:error', 1)),
    Kind(
        "numeric range",
        "/logs",
        lambda rng, _values: _logs(f"http.status_code:[500 TO {rng.randrange(500, 504)}]", 1),
    ),
    Kind("context", "/logs/{id}/context", lambda rng, values: {"id": rng.choice(values.ids)}),
    Kind("histogram 24 h", "/histogram", lambda _rng, _values: {"start": "now-24h"}),
    Kind("histogram 30 d", "/histogram", lambda _rng, _values: {"start": "now-30d"}, is_cheap=False),
    Kind("errors by service 24 h", "/stats", lambda _rng, _values: _stats("level:>=error", 1, by="service")),
    Kind("errors by service 30 d", "/stats", lambda _rng, _values: _stats("level:>=error", 30, by="service"), False),
    Kind("p99 by service 24 h", "/stats", lambda _rng, _values: _stats("", 1, **_DURATION), is_cheap=False),
    Kind("p99 by service 30 d", "/stats", lambda _rng, _values: _stats("", 30, **_DURATION), is_cheap=False),
    Kind(
        "mean of a user 30 d",
        "/stats",
        lambda rng, _values: _stats(f"user_id:{_user(rng)}", 30, function="avg,count", field="response_time_ms"),
        is_cheap=False,
    ),
    Kind("top routes 24 h", "/fields/http.route/values", lambda _rng, _values: {"start": "now-24h"}, is_cheap=False),
    Kind(
        "errors by route 24 h",
        "/stats",
        lambda _rng, _values: _stats("level:>=error", 1, by="http.route"),
        is_cheap=False,
    ),
)


def sample_search_values(
    stack: BenchStack, table: str, rows: int, rng: Random, *, newest_share: float = 1.0
) -> SearchValues:
    """Read search values from random rows of the history, or of so large a share of it, the newest.

    Raises:
        BenchError: the engine refuses it.
    """
    end = rows // PARTITIONS
    offsets = ", ".join(str(rng.randrange(round(end * (1 - newest_share)), end)) for _ in range(_SAMPLED))
    result = stack.query(
        "SELECT toString(toUnixTimestamp64Nano(Timestamp)), toString(_partition), toString(_offset), TraceId,"
        r" extract(Body, '\\b[0-9a-f]{12}\\b')"
        f" FROM `{DATABASE}`.`{table}` WHERE _topic_id = '{TOPIC_ID}' AND _offset IN ({offsets})"
        " FORMAT JSONCompactEachRow"
    )
    found = [json.loads(line) for line in result.splitlines()]
    return SearchValues(
        [f"{time}-{partition}-{offset}-0-{TOPIC_ID}" for time, partition, offset, *_ in found],
        [trace for *_, trace, _ in found if trace],
        [word for *_, word in found if word],
    )
