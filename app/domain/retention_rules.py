"""How many days the logs of single services are kept, where that is less than the table's retention. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from msgspec import Struct

from app.domain.name_patterns import is_pattern, matcher

ALLOWED: Final = "must be like debug-*:3,payments:90, the services and how many days their logs are kept"

_MOST_DAYS: Final = 3650


class RetentionRule(NamedTuple):
    """How many days the logs of the services are kept whose names match a pattern."""

    pattern: str
    days: int

    def __str__(self) -> str:
        return f"{self.pattern}:{self.days}"


class Expired(Struct, frozen=True):
    """Logs of one service and one day (UTC) that are older than their rule allows."""

    rule: RetentionRule
    day: date
    service: str
    rows: int


def parse_retention_rules(text: str) -> tuple[RetentionRule, ...]:
    """The rules of a setting, comma-separated, in their order.

    Raises:
        ValueError: one of them is none; the message says which, and what is allowed.
    """
    return tuple(_parsed(part.strip()) for part in text.split(",")) if text.strip() else ()


def _parsed(text: str) -> RetentionRule:
    pattern, _, days = (piece.strip() for piece in text.rpartition(":"))
    if not is_pattern(pattern) or not (days.isascii() and days.isdecimal()):
        raise ValueError(f"{ALLOWED}; {text!r} is not")
    if not 1 <= int(days) <= _MOST_DAYS:
        raise ValueError(f"{ALLOWED}; {text!r} has days that are not 1 to {_MOST_DAYS}")
    return RetentionRule(pattern, int(days))


class RetentionRules:
    """Finds what the rules of services no longer keep; of several rules that match a name the first counts."""

    def __init__(self, rules: Iterable[RetentionRule]) -> None:
        self._matchers: Final = [(rule, expression) for rule in rules if (expression := matcher([rule.pattern]))]

    @property
    def rules(self) -> tuple[RetentionRule, ...]:
        """All of them, in their order."""
        return tuple(rule for rule, _ in self._matchers)

    def rule_of(self, service: str) -> RetentionRule | None:
        """The rule of a service, None if its logs are kept as long as the table keeps any."""
        return next((rule for rule, expression in self._matchers if expression.match(service)), None)

    def first_day(self, rule: RetentionRule, today: date) -> date:
        """The first day that a rule keeps: whole days, so that nothing is removed before its time."""
        return today - timedelta(days=rule.days)

    def expired(self, stored: Mapping[tuple[date, str], int], today: date) -> list[Expired]:
        """What is to be removed of what is stored: numbers of rows by day (UTC) and service. The oldest come first."""
        found = []
        for (day, service), rows in sorted(stored.items()):
            rule = self.rule_of(service)
            if rule is not None and day < self.first_day(rule, today):
                found.append(Expired(rule, day, service, rows))
        return found
