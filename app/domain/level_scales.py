"""Numeric levels: the scales of loggers, and what a number means on each. A table; `docs/events.md` shows it."""

from collections.abc import Mapping
from enum import Enum
from itertools import pairwise
from typing import Final

from app.domain.severity import severity_of_number


class Scale(Enum):
    """A scale of numeric levels. The values are names for people."""

    SYSLOG = "syslog, journald and GELF"
    OTEL = "OpenTelemetry"
    BUNYAN = "bunyan and pino"
    PYTHON = "Python"
    MONOLOG = "Monolog"
    DOTNET = ".NET"
    NEXTCLOUD = "Nextcloud"
    LOG4J2 = "Log4j 2 intLevel"
    LOG4J1 = "Log4j 1 and Logback toInt"
    JUL = "java.util.logging"
    SLOG = "Go's slog"
    GOOGLE = "Google Cloud Logging"
    WINDOWS = "Windows event log"
    MYSQL = "MySQL error log"
    GLOG = "glog and osquery"
    LAGER = "lager of Cloud Foundry"
    COCKROACH = "CockroachDB"
    APP_INSIGHTS = "Application Insights"


# A number between two levels of these scales is a level of the sender's own, at least as severe as the lower one.
_FROM: Final[Mapping[Scale, tuple[tuple[int, str], ...]]] = {
    Scale.BUNYAN: ((1, "TRACE"), (20, "DEBUG"), (30, "INFO"), (40, "WARN"), (50, "ERROR"), (60, "FATAL"), (100, "")),
    Scale.PYTHON: ((1, "TRACE"), (10, "DEBUG"), (20, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "FATAL"), (100, "")),
    Scale.MONOLOG: ((100, "DEBUG"), (200, "INFO"), (300, "WARN"), (400, "ERROR"), (500, "FATAL"), (601, "")),
    Scale.JUL: ((300, "TRACE"), (500, "DEBUG"), (800, "INFO"), (900, "WARN"), (1000, "ERROR"), (1001, "")),
    Scale.LOG4J1: (
        *((5000, "TRACE"), (10_000, "DEBUG"), (20_000, "INFO"), (30_000, "WARN"), (40_000, "ERROR")),
        *((50_000, "FATAL"), (60_000, "")),
    ),
    Scale.SLOG: ((-16, "TRACE"), (-4, "DEBUG"), (0, "INFO"), (4, "WARN"), (8, "ERROR"), (12, "FATAL"), (24, "")),
    Scale.GOOGLE: ((100, "DEBUG"), (200, "INFO"), (400, "WARN"), (500, "ERROR"), (600, "FATAL"), (801, "")),
}
_NAMES: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_EXACT: Final[Mapping[Scale, Mapping[int, str]]] = {
    Scale.SYSLOG: dict(enumerate(("FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG"))),
    Scale.DOTNET: dict(enumerate(_NAMES)),
    Scale.NEXTCLOUD: dict(enumerate(_NAMES[1:])),
    Scale.LOG4J2: dict(zip(range(100, 700, 100), reversed(_NAMES), strict=True)),
    Scale.WINDOWS: dict(enumerate(("INFO", "FATAL", "ERROR", "WARN", "INFO", "TRACE"))),
    Scale.MYSQL: dict(enumerate(("INFO", "ERROR", "WARN", "INFO"))),
    Scale.GLOG: dict(enumerate(("INFO", "WARN", "ERROR", "FATAL"))),
    Scale.LAGER: dict(enumerate(("DEBUG", "INFO", "ERROR", "FATAL"))),
    Scale.COCKROACH: dict(enumerate(("INFO", "WARN", "ERROR", "FATAL"), 1)),
    Scale.APP_INSIGHTS: dict(enumerate(_NAMES[1:])),
}


def severity_on(scale: Scale, number: int) -> str:
    """The severity of a number on a scale, "" if the scale has no such level."""
    if scale is Scale.OTEL:
        return severity_of_number(number)
    if scale in _EXACT:
        return _EXACT[scale].get(number, "")
    return next((name for (low, name), (high, _) in pairwise(_FROM[scale]) if low <= number < high), "")


# What loggers write where nothing else tells the scale: only their named levels, and not those that few programs use.
_USUAL: Final[Mapping[Scale, frozenset[int]]] = {
    Scale.SYSLOG: frozenset(range(8)),
    Scale.DOTNET: frozenset(range(6)),
    Scale.NEXTCLOUD: frozenset(range(5)),
    Scale.OTEL: frozenset(range(1, 25)),
    Scale.SLOG: frozenset((-4, 0, 4, 8)),
    Scale.BUNYAN: frozenset(range(10, 70, 10)),
    Scale.PYTHON: frozenset(range(10, 60, 10)),
    Scale.MONOLOG: frozenset((100, 200, 250, 300, 400, 500, 550, 600)),
    Scale.GOOGLE: frozenset(range(100, 900, 100)),
    Scale.LOG4J2: frozenset(range(100, 700, 100)),
    Scale.LOG4J1: frozenset((5000, 10_000, 20_000, 30_000, 40_000, 50_000)),
    Scale.JUL: frozenset((300, 400, 500, 700, 800, 900, 1000)),
}


def severity_on_any(number: int) -> str:
    """The severity of a number that means the same on every scale that has it, else ""."""
    found = {severity_on(scale, number) for scale, numbers in _USUAL.items() if number in numbers}
    return found.pop() if len(found) == 1 else ""
