"""The zones of hosts and services whose logs state none. Pure."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.field_text import text_of_field
from app.domain.name_patterns import LONGEST_NAME, is_pattern, matcher
from app.domain.times import zone_named

ALLOWED: Final = "must be like host:tokyo-*=Asia/Tokyo, service:billing=America/New_York"

_KINDS: Final = ("host", "service")
"""In the order of their precedence."""

_ORIGINS_KEPT: Final = 4096


class ZoneRule(NamedTuple):
    """The zone of the hosts or services whose names match a pattern."""

    kind: str  # one of `_KINDS`
    pattern: str
    zone: str  # a name of the tz database

    def __str__(self) -> str:
        return f"{self.kind}:{self.pattern}={self.zone}"


def parse_zone_rules(text: str) -> tuple[ZoneRule, ...]:
    """The rules of a setting, comma-separated, in their order.

    Raises:
        ValueError: one of them is none; the message says which, and what is allowed.
    """
    return tuple(_parsed(part.strip()) for part in text.split(",")) if text.strip() else ()


def _parsed(text: str) -> ZoneRule:
    subject, _, zone = text.partition("=")
    kind, _, pattern = subject.partition(":")
    rule = ZoneRule(kind.strip().lower(), pattern.strip(), zone.strip())
    if rule.kind not in _KINDS or not is_pattern(rule.pattern):
        raise ValueError(f"{ALLOWED}; {text!r} is not")
    if zone_named(rule.zone) is None:
        raise ValueError(f"{ALLOWED}; {rule.zone!r} is no name of the tz database")
    return rule


class ZoneRules:
    """Finds the zone of an event by its host, else by its service; of several rules the first that matches counts."""

    def __init__(self, rules: tuple[ZoneRule, ...]) -> None:
        self._matchers: Final = [
            (kind, expression, zone_named(rule.zone))
            for kind in _KINDS
            for rule in rules
            if rule.kind == kind and (expression := matcher([rule.pattern]))
        ]
        self._of_names = lru_cache(maxsize=_ORIGINS_KEPT)(self._first)

    def zone_of(self, fields: Mapping[str, object]) -> ZoneInfo | None:
        """The zone of an event with these fields, None if no rule says it."""
        return self.zone_of_origin(fields.get("host"), fields.get("service"))

    def zone_of_origin(self, host: object, service: object) -> ZoneInfo | None:
        """The zone of a host and a service, which may come as values of any type."""
        names = (text_of_field("host", host), text_of_field("service", service))
        return self._of_names(*(name if len(name) <= LONGEST_NAME else "" for name in names))

    def _first(self, host: str, service: str) -> ZoneInfo | None:
        return next(self._all({"host": host, "service": service}), None)

    def _all(self, names: Mapping[str, str]) -> Iterator[ZoneInfo | None]:
        for kind, expression, zone in self._matchers:
            if names[kind] and expression.match(names[kind]):
                yield zone
