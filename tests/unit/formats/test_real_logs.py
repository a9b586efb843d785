"""How many lines of real logs are parsed as labelled. Skipped where the data is absent."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from app.formats.reading import Reading
from app.formats.text_line import read_text_line
from local.paths import ROOT

LOGHUB = Path(os.environ.get("LOGHUB_DIR") or ROOT.parent.joinpath("shared", "data", "loghub"))
LINES = 2000
pytestmark = pytest.mark.skipif(not LOGHUB.is_dir(), reason=f"no log data in {LOGHUB}; LOGHUB_DIR says where it is")


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


class Label(NamedTuple):
    time: datetime
    severity: str


def label(row: str) -> Label:
    """A row of the labels: line number, time (year-less ones are put in 2005), level or "-"."""
    _, written, level = row.split("\t")
    when = datetime.fromisoformat(written.replace("-----", "2005-"))
    return Label(when.replace(tzinfo=UTC), "" if level == "-" else level)


def log_lines(name: str) -> list[str]:
    text = LOGHUB.joinpath(f"{name}_2k.log").read_bytes().decode()
    return [line for line in text.split("\n") if line.strip()]


@pytest.mark.parametrize("name", AGREEMENT)
def test_the_lines_of_a_real_log_are_read_as_labelled(name: str) -> None:
    lines = log_lines(name)
    labels = [label(row) for row in LOGHUB.joinpath("labels", f"{name}.tsv").read_text().splitlines()]
    assert len(lines) == len(labels) == LINES
    end_of_year = Reading.of_record(int(datetime(labels[-1].time.year, 12, 31, tzinfo=UTC).timestamp() * 1000))
    found = [read_text_line(line, end_of_year) for line in lines]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    times = [(one.time - epoch) // datetime.resolution * 1000 for one in labels]
    assert (
        Agreement(
            time=sum(one.timestamp_ns == expected for one, expected in zip(found, times, strict=True)),
            severity=sum(one.severity == expected.severity for one, expected in zip(found, labels, strict=True)),
        )
        == AGREEMENT[name]
    )
