"""The lines of a system in shapes that it does not have: what each says, written as any other program may write it."""

import re
from datetime import UTC, datetime
from itertools import product
from typing import Final, NamedTuple

from app.formats.reading import Reading
from app.formats.text_line import read_text_line
from tests.support.loghub import Log

MESSAGES: Final = {
    "Apache": r"\[[^]]+\] \[\w+\] ",
    "HDFS": r"\d{6} \d{6} \d+ [A-Z]+ ",
    "Linux": r"\w{3} +\d+ [\d:]+ \S+ ",
    "OpenSSH": r"\w{3} +\d+ [\d:]+ \S+ ",
    "OpenStack": r"\S+ \S+ \S+ \d+ [A-Z]+ ",
    "Spark": r"\S+ \S+ [A-Z]+ ",
    "Zookeeper": r"\S+ \S+ - [A-Z]+ +",
}
"""What stands in front of the message (with its logger or program) in the lines of each system."""

TIMES: Final = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y/%m/%d %H:%M:%S +0000",
    "%d/%b/%Y:%H:%M:%S +0000",
    "%b %d %Y %H:%M:%S",
    "%d %b %Y %H:%M:%S UTC",
    "%d.%m.%Y %H:%M:%S",
    "%Y%m%d %H%M%S",
    "%y%m%d %H:%M:%S",
    "%Y-%m-%d %I:%M:%S %p",
    "%a %b %d %H:%M:%S %Y",
    "%Y-%m-%d_%H:%M:%S",
    "%Y-%m-%d-%H.%M.%S",
    "%Y.%m.%d-%H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%s",
    "%s000",
)
LEVELS: Final = (
    "INFO",
    "[INFO]",
    "[Info ]",
    "<Info>",
    "(INFO)",
    "INFO:",
    "Info:",
    "| INFO |",
    "*INFO*",
    "[info]",
    "info:",
)
ORDERS: Final = (
    "{time} {level} {message}",
    "[{time}] {level} {message}",
    "{time} {level} [main] {message}",
    "{time} [main] {level} org.bakery.Oven - {message}",
    "{time} [77] {level} {message}",
    "{level} {time} {message}",
    "{level} [{time}] {message}",
    "<{time}> {level} <main> {message}",
    "{time}\t{level}\t{message}",
    "{time} - {level} - {message}",
    "{time} kiln ovend[77]: {level} {message}",
    "org.bakery.Oven {time} {level} {message}",
)
SHAPES: Final = list(product(TIMES, LEVELS, ORDERS))
_STEP: Final = 7919  # a prime, so that neighbouring lines have shapes that differ in all three
_SEVERITIES: Final = ("INFO", "WARN", "ERROR", "DEBUG", "FATAL")  # of lines that have none


class Shaped(NamedTuple):
    """How many lines in other shapes are read right, and which of them are read wrongly."""

    lines: int
    times: int
    levels: int
    wrong: list[str]


def in_other_shapes(system: str, log: Log) -> Shaped:
    """Read all lines of a system, each in the next of the shapes."""
    header = re.compile(MESSAGES[system], re.ASCII)
    times = levels = 0
    wrong = []
    for number, (line, label) in enumerate(zip(log.lines, log.labels, strict=True)):
        time, dress, order = SHAPES[number * _STEP % len(SHAPES)]
        severity = label.severity or _SEVERITIES[number % len(_SEVERITIES)]
        moment = datetime.fromtimestamp(label.time_ns // 10**9, UTC)
        written = time.replace("%s", str(label.time_ns // 10**9))
        level = dress.replace("INFO", severity).replace("Info", severity.title()).replace("info", severity.lower())
        text = order.format(time=moment.strftime(written), level=level, message=header.sub("", line, count=1))
        found = read_text_line(text, Reading.of_record(label.time_ns // 10**6 + 60_000))
        is_time = found.timestamp_ns == label.time_ns // 10**9 * 10**9
        times += is_time
        levels += found.severity == severity
        if (found.timestamp_ns is not None and not is_time) or found.severity not in ("", severity):
            wrong.append(text)
    return Shaped(len(log.lines), times, levels, wrong)
