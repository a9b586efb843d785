"""What numeric levels mean on the scales of loggers, and levels with decorations."""

import pytest

from app.domain.level_scales import Scale, severity_on, severity_on_any
from app.domain.severity import severity_of_level

SCALES = {
    Scale.SYSLOG: "0 FATAL 1 FATAL 2 FATAL 3 ERROR 4 WARN 5 INFO 6 INFO 7 DEBUG",
    Scale.OTEL: "1 TRACE 4 TRACE 5 DEBUG 9 INFO 12 INFO 13 WARN 17 ERROR 20 ERROR 21 FATAL 24 FATAL",
    Scale.BUNYAN: "10 TRACE 20 DEBUG 30 INFO 35 INFO 40 WARN 50 ERROR 60 FATAL",
    Scale.PYTHON: "5 TRACE 10 DEBUG 20 INFO 25 INFO 30 WARN 40 ERROR 50 FATAL",
    Scale.MONOLOG: "100 DEBUG 200 INFO 250 INFO 300 WARN 400 ERROR 500 FATAL 550 FATAL 600 FATAL",
    Scale.DOTNET: "0 TRACE 1 DEBUG 2 INFO 3 WARN 4 ERROR 5 FATAL",
    Scale.NEXTCLOUD: "0 DEBUG 1 INFO 2 WARN 3 ERROR 4 FATAL",
    Scale.LOG4J2: "100 FATAL 200 ERROR 300 WARN 400 INFO 500 DEBUG 600 TRACE",
    Scale.LOG4J1: "5000 TRACE 10000 DEBUG 20000 INFO 30000 WARN 40000 ERROR 50000 FATAL",
    Scale.JUL: "300 TRACE 400 TRACE 500 DEBUG 700 DEBUG 800 INFO 900 WARN 1000 ERROR",
    Scale.SLOG: "-8 TRACE -4 DEBUG 0 INFO 2 INFO 4 WARN 8 ERROR 12 FATAL",
    Scale.GOOGLE: "100 DEBUG 200 INFO 300 INFO 400 WARN 500 ERROR 600 FATAL 700 FATAL 800 FATAL",
    Scale.WINDOWS: "0 INFO 1 FATAL 2 ERROR 3 WARN 4 INFO 5 TRACE",
    Scale.MYSQL: "0 INFO 1 ERROR 2 WARN 3 INFO",
    Scale.GLOG: "0 INFO 1 WARN 2 ERROR 3 FATAL",
    Scale.LAGER: "0 DEBUG 1 INFO 2 ERROR 3 FATAL",
    Scale.COCKROACH: "1 INFO 2 WARN 3 ERROR 4 FATAL",
    Scale.APP_INSIGHTS: "0 DEBUG 1 INFO 2 WARN 3 ERROR 4 FATAL",
}


@pytest.mark.parametrize("scale", Scale)
def test_a_number_means_what_its_scale_says(scale: Scale) -> None:
    words = SCALES[scale].split()
    numbers = dict(zip(map(int, words[::2]), words[1::2], strict=True))

    assert {number: severity_on(scale, number) for number in numbers} == numbers


@pytest.mark.parametrize("scale", Scale)
@pytest.mark.parametrize("number", [-(10**9), -99, 9999, 10**9])
def test_a_number_that_is_not_on_its_scale_means_nothing(scale: Scale, number: int) -> None:
    assert severity_on(scale, number) == "" or (scale is Scale.LOG4J1 and number == 9999)


@pytest.mark.parametrize(
    ("number", "severity"),
    [(17, "ERROR"), (60, "FATAL"), (1000, "ERROR"), (40_000, "ERROR"), (250, "INFO"), (-4, "DEBUG"), (7, "DEBUG")]
    + [(number, "") for number in (0, 1, 2, 3, 4, 5, 6, 8, 20, 30, 40, 50, 100, 200, 400, 500, 77, 99)],
)
def test_a_number_without_a_scale_counts_only_where_all_scales_agree(number: int, severity: str) -> None:
    assert severity_on_any(number) == severity


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("\x1b[31merror\x1b[39m", "ERROR"),
        ("[ERROR]", "ERROR"),
        ("ERROR:", "ERROR"),
        ("<error>", "ERROR"),
        (" warn\t", "WARN"),
        ("Warn.", "WARN"),
        ("local.ERROR", "ERROR"),
        ("ERROR+4", "ERROR"),
        ("DEBUG-2", "DEBUG"),
        ("INFO[0001]", "INFO"),
        ("ERRO WRN", ""),
        ("🔥 error", "ERROR"),
        *((word, "ERROR") for word in ("ERRO", "ERR", "eror", "fail", "Failure", "SEVERE")),
        *((word, "WARN") for word in ("WRN", "Warning", "w")),
        *((word, "INFO") for word in ("INF", "Information", "NOTICE", "success", "LOG")),
        *((word, "DEBUG") for word in ("DBG", "dbug", "CONFIG", "FINE", "http", "D3")),
        *((word, "TRACE") for word in ("silly", "VRB", "Verbose", "FINER", "FINEST", "trce", "TRAC")),
        *((word, "FATAL") for word in ("EMERGENCY", "ALERT", "dpanic", "FTL", "crit", "PNC", "Critical")),
        *((word, "") for word in ("", "DEFAULT", "Metadata", "3", "no error at all", "x" * 100, "-", "errors")),
    ],
)
def test_a_level_is_known_with_what_is_written_around_it(text: str, severity: str) -> None:
    assert severity_of_level(text) == severity
