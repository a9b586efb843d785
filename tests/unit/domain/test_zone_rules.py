"""Zones of hosts and services: what a setting may hold, and which rule counts."""

from __future__ import annotations

import pytest

from app.domain.zone_rules import ZoneRules, parse_zone_rules

TEXT = (
    "service:billing=America/New_York, host:tokyo-*=Asia/Tokyo,host:*.example.org=Europe/Paris, host:tokyo-1=Asia/Seoul"
)


def zone_of(text: str, **fields: object) -> str | None:
    zone = ZoneRules(parse_zone_rules(text)).zone_of(fields)
    return None if zone is None else zone.key


@pytest.mark.parametrize(
    ("fields", "zone"),
    [
        ({"host": "tokyo-7"}, "Asia/Tokyo"),
        ({"host": "TOKYO-7.example.org"}, "Asia/Tokyo"),
        ({"host": "tokyo-1"}, "Asia/Tokyo"),  # the first that matches
        ({"host": "db.example.org", "service": "billing"}, "Europe/Paris"),  # hosts before services
        ({"host": "db", "service": "billing"}, "America/New_York"),
        ({"service": {"name": "billing", "version": 2}}, "America/New_York"),
        ({"service": "billing-2"}, None),
        ({"host": "old-tokyo-7"}, None),
        ({"host": "tokyo-" + "7" * 300}, None),
        ({"host": ["tokyo-7"], "service": None}, None),
        ({}, None),
    ],
)
def test_the_first_rule_that_matches_counts(fields: dict[str, object], zone: str | None) -> None:
    assert zone_of(TEXT, **fields) == zone


def test_only_stars_and_question_marks_are_wildcards() -> None:
    assert zone_of("host:web-?.a=Asia/Tokyo", host="web-1.a") == "Asia/Tokyo"
    assert zone_of("host:web-?.a=Asia/Tokyo", host="web-1xa") is None
    assert zone_of("service:*=Asia/Tokyo", service="any") == "Asia/Tokyo"
    assert zone_of("service:*=Asia/Tokyo", service="") is None


def test_rules_are_written_in_one_way() -> None:
    assert list(map(str, parse_zone_rules(" Host: a* = UTC ,service:b=Asia/Tokyo"))) == [
        "host:a*=UTC",
        "service:b=Asia/Tokyo",
    ]
    assert parse_zone_rules("  ") == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tokyo-*=Asia/Tokyo", "'tokyo-*=Asia/Tokyo' is not"),
        ("pod:a=Asia/Tokyo", "'pod:a=Asia/Tokyo' is not"),
        ("host:=Asia/Tokyo", "'host:=Asia/Tokyo' is not"),
        ("host:a b=Asia/Tokyo", "'host:a b=Asia/Tokyo' is not"),
        ("host:a[1]=Asia/Tokyo", "'host:a[1]=Asia/Tokyo' is not"),
        ("host:a=Asia/Tokyo,", "'' is not"),
        ("host:a", "'' is no name of the tz database"),
        ("host:a=+09:00", "'+09:00' is no name of the tz database"),
        ("host:a=../../etc/passwd", "'../../etc/passwd' is no name of the tz database"),
    ],
)
def test_anything_else_is_refused_with_the_part_that_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match="must be like host:tokyo") as caught:
        parse_zone_rules(text)

    assert str(caught.value).endswith(reason)
