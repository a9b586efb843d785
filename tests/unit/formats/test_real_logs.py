"""How many lines of real logs are parsed as labelled. Skipped where the data is absent."""

from typing import NamedTuple

import pytest

from app.formats.text_line import read_text_line
from tests.support.loghub import IS_ABSENT, LINES, WHY_SKIPPED, read_log

pytestmark = pytest.mark.skipif(IS_ABSENT, reason=WHY_SKIPPED)


class Agreement(NamedTuple):
    time: int
    severity: int


AGREEMENT = {
    "Apache": Agreement(LINES, LINES),
    "HDFS": Agreement(LINES, LINES),
    # The labels of both syslog sets know no levels. 2 messages open with "warning:" ...
    "Linux": Agreement(LINES, LINES - 2),
    # ... and 47 with "error:" and 1 with "fatal:", which is how sshd writes its own level.
    "OpenSSH": Agreement(LINES, LINES - 48),
    "OpenStack": Agreement(LINES, LINES),
    "Spark": Agreement(LINES, LINES),
    "Zookeeper": Agreement(LINES, LINES),
}


@pytest.mark.parametrize("name", AGREEMENT)
def test_the_lines_of_a_real_log_are_read_as_labelled(name: str) -> None:
    log = read_log(name)
    assert len(log.lines) == len(log.labels) == LINES
    found = [read_text_line(line, log.reading) for line in log.lines]
    assert (
        Agreement(
            time=sum(one.timestamp_ns == label.time_ns for one, label in zip(found, log.labels, strict=True)),
            severity=sum(one.severity == label.severity for one, label in zip(found, log.labels, strict=True)),
        )
        == AGREEMENT[name]
    )
