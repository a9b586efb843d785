"""The settings of the reading with other values, to find out which of them a row hangs on. Pure."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from app.domain.event_time import EventTimeBounds
from app.domain.json_values import MOST_DEEP
from app.domain.times import zone_named
from app.formats.reading import ReadingRules

_OTHER_ZONES: Final = ("Etc/GMT-1", "Etc/GMT-2")  # whatever is set, one of them is another zone
_EVER_MS: Final = 9 * 10**12  # 285 years; in nanoseconds it must fit into 64 bits


class Alternative(NamedTuple):
    """Other rules, and the setting that is another one."""

    setting: str
    rules: ReadingRules
    bounds: EventTimeBounds


def alternatives(rules: ReadingRules, bounds: EventTimeBounds) -> Iterator[Alternative]:
    """Every setting with another value."""
    for zone in _OTHER_ZONES:
        yield Alternative("DEFAULT_TIMEZONE", replace(rules, zone=zone_named(zone)), bounds)
    yield Alternative("TIMEZONES", replace(rules, zones=None), bounds)
    for day_first in {True, False} - {rules.day_first}:
        yield Alternative("DAY_FIRST", replace(rules, day_first=day_first), bounds)
    yield Alternative("FUTURE_TOLERANCE_SECS", replace(rules, future_ms=_EVER_MS), bounds)
    others = replace(rules, levels_from_status=not rules.levels_from_status)
    yield Alternative("LEVELS_FROM_STATUS", others, bounds)
    deeper = replace(rules, limits=rules.limits._replace(depth=MOST_DEEP))
    yield Alternative("MAX_ATTRIBUTE_DEPTH", deeper, bounds)
    yield Alternative("CLICKHOUSE_RETENTION_DAYS", rules, replace(bounds, past_ms=_EVER_MS))
