"""Checks of stored times: hosts and services whose clock seems to show another zone than their times are read in."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from app.domain.probable_zones import Probable, probable_zone, written_time
from app.domain.times import zone_named
from app.domain.zone_rules import ZoneRules, parse_zone_rules
from app.preflight.findings import Finding, ok, skipped, warning
from app.settings import ServiceSettings

_ABOUT: Final = "zones"
_MOST_EXAMPLES: Final = 3
_MOST_FINDINGS: Final = 20


class TimeSample(NamedTuple):
    """A stored row whose time was in the future without a zone, or lies long before the time at which it was stored."""

    host: str
    service: str
    is_in_the_future: bool
    time_ms: int  # of the row: the record's time if the event's is in the future, else the event's own
    stored_ms: int
    written: str  # the time as sent, or the line that holds it


def not_checked(reason: str) -> list[Finding]:
    """The findings if no rows could be read."""
    return [skipped(_ABOUT, reason)]


def check_zones(samples: Sequence[TimeSample], settings: ServiceSettings) -> list[Finding]:
    """A warning for each host, or service without host, whose times look like those of another zone."""
    of_origin: dict[str, list[TimeSample]] = defaultdict(list)
    for sample in samples:
        if sample.host or sample.service:
            of_origin[f"host:{sample.host}" if sample.host else f"service:{sample.service}"].append(sample)
    found = [finding for origin, rows in sorted(of_origin.items()) for finding in _check(origin, rows, settings)]
    if len(found) > _MOST_FINDINGS:
        more = len(found) - _MOST_FINDINGS
        found = [*found[:_MOST_FINDINGS], warning(_ABOUT, f"{more} more hosts or services like these")]
    return found or [ok(_ABOUT, "no host or service whose times look like those of another zone")]


def _check(origin: str, samples: Sequence[TimeSample], settings: ServiceSettings) -> Iterator[Finding]:
    ahead = [secs for sample in samples if (secs := _ahead_secs(sample, settings)) is not None]
    probable = probable_zone(ahead, samples[0].stored_ms / 1000)
    if probable is not None and any(_differs(sample, probable, settings) for sample in samples):
        kind, _, name = origin.partition(":")
        yield warning(
            _ABOUT,
            f"{kind} {name} looks like {probable.offset}, by {probable.times} times without a zone",
            f"Set TIMEZONES={origin}={_zones_of(probable)}",
        )


def _zones_of(probable: Probable) -> str:
    first, *others = probable.zones[:_MOST_EXAMPLES]
    return f"{first}, or another zone with this offset, such as {', '.join(others)}" if others else first


def _ahead_secs(sample: TimeSample, settings: ServiceSettings) -> float | None:
    """By how many seconds the clock of a host is ahead of UTC, with its delay; None if that is not known."""
    written = written_time(sample.written, sample.time_ms)
    if written is not None and written.has_zone:
        return None
    if sample.is_in_the_future:
        return None if written is None else written.ahead_secs
    return (sample.time_ms - sample.stored_ms) / 1000 + _assumed_secs(sample, settings)


def _assumed_secs(sample: TimeSample, settings: ServiceSettings) -> float:
    """The offset of the zone in which the times of a host and service are read."""
    rules = ZoneRules(parse_zone_rules(settings.timezones))
    zone = rules.zone_of({"host": sample.host, "service": sample.service}) or zone_named(settings.default_timezone)
    offset = datetime.fromtimestamp(sample.stored_ms / 1000, UTC).astimezone(zone).utcoffset()
    return offset.total_seconds() if offset else 0


def _differs(sample: TimeSample, probable: Probable, settings: ServiceSettings) -> bool:
    return _assumed_secs(sample, settings) != probable.offset_secs
