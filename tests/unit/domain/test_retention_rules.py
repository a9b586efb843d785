"""Rules of retention: what they name, and from which day on it has expired."""

from datetime import date

import pytest

from app.domain.retention_rules import RetentionRule, RetentionRules, parse_retention_rules

TODAY = date(2026, 11, 30)


def expired(text: str, *stored: tuple[int, str]) -> list[tuple[int, str, str]]:
    """The day in November, service and rule of what has expired, of logs of one day and service each."""
    rules = RetentionRules(parse_retention_rules(text))
    found = rules.expired({(date(2026, 11, day), service): 1 for day, service in stored}, TODAY)
    return [(each.day.day, each.service, str(each.rule)) for each in found]


def test_rules_are_names_and_days() -> None:
    assert parse_retention_rules(" debug-*:3, payments : 90") == (
        RetentionRule("debug-*", 3),
        RetentionRule("payments", 90),
    )
    assert parse_retention_rules(" ") == ()


@pytest.mark.parametrize(
    "text", ["debug", "debug:", ":3", "debug:0", "debug:-1", "debug:3.5", "debug:4000", "a:3,", "a b:3"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be like"):
        parse_retention_rules(text)


def test_a_name_may_have_a_colon() -> None:
    assert parse_retention_rules("host:api:3") == (RetentionRule("host:api", 3),)


def test_whole_days_expire_when_all_of_them_is_old_enough() -> None:
    logs = [(day, "debug") for day in (26, 27, 28, 30)]

    assert expired("debug:3", *logs) == [(26, "debug", "debug:3")]
    assert expired("debug:1", *logs) == [(26, "debug", "debug:1"), (27, "debug", "debug:1"), (28, "debug", "debug:1")]


def test_only_what_a_rule_names_expires() -> None:
    logs = [(1, "debug-api"), (1, "Debug-web"), (1, "debug"), (1, "payments"), (1, "")]

    assert expired("debug-*:3", *logs) == [(1, "Debug-web", "debug-*:3"), (1, "debug-api", "debug-*:3")]
    assert expired("", *logs) == []


def test_the_first_of_several_rules_counts() -> None:
    logs = [(20, "payments"), (20, "shop"), (20, "")]

    assert expired("payments:30,*:3", *logs) == [(20, "", "*:3"), (20, "shop", "*:3")]
