"""Which groups of logs a query matches, as the evaluator of queries has it."""

from __future__ import annotations

from itertools import product

import pytest

from app.query.counted_group import GROUPED_BY, UNKNOWN, CountedGroup, share
from app.query.language import parse
from tests.query.evaluate import finds

GROUPS = [
    CountedGroup(service, level, number, 1, 0)
    for service, (level, number) in product(
        ("a", "pay-1", ""), (("ERROR", 17), ("warn", 13), ("INFO", 9), ("debug2", 6), ("", 0))
    )
]


@pytest.mark.parametrize(
    "query",
    [
        *("", "service:a", "-service:a", "service:pay*", "service:*", "level:error", "level:*", "-level:*"),
        *("level:>=warn", "level:>warn", "level:<info", "level:[debug TO warn]", "-level:>=error"),
        *("severity_number:9", "severity_number:>9", "severity_number:<=13", "severity_number:*"),
        *("service:a level:error", "(service:a OR level:error) -level:debug2"),
    ],
)
def test_a_query_for_services_and_levels_matches_the_groups_of_the_logs_that_it_finds(query: str) -> None:
    tree = parse(query).tree
    rows = [dict(zip(GROUPED_BY, (group.service, group.level, group.severity_number), strict=True)) for group in GROUPS]

    assert [share(tree, group) for group in GROUPS] == [finds(tree, row) for row in rows]


@pytest.mark.parametrize(
    "query",
    [
        *("timeout", "user_id:7", "http.route:/pay", "user_id:7*", "user_id:*", "bytes:>5", "offset:>5", "service:>5"),
        *("service:a timeout", "service:b OR timeout", "timeout refused", "level:error http.route:/pay"),
    ],
)
def test_what_a_group_does_not_tell_matches_some_of_its_logs(query: str) -> None:
    assert share(parse(query).tree, GROUPS[0]) == UNKNOWN


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("service:b timeout", 0),
        ("service:a OR timeout", 1),
        ("-timeout", 1 - UNKNOWN),
        ("service:a -timeout", 1 - UNKNOWN),
    ],
)
def test_what_it_tells_decides_where_it_can(query: str, expected: float) -> None:
    assert share(parse(query).tree, GROUPS[0]) == expected
