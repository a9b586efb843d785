"""Lines of real logs (Loghub) and what their labels say. The data is not part of the project; LOGHUB_DIR says where."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from app.formats.reading import Reading
from local.paths import ROOT

FOLDER = Path(os.environ.get("LOGHUB_DIR") or ROOT.parent.joinpath("shared", "data", "loghub"))
LINES = 2000
IS_ABSENT = not FOLDER.is_dir()
WHY_SKIPPED = f"no log data in {FOLDER}; LOGHUB_DIR says where it is"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Label(NamedTuple):
    """What a line says; `severity` is "" where the label knows none."""

    time_ns: int
    severity: str


class Log(NamedTuple):
    """The lines of a system, their labels, and the reading of a record at the end of their year."""

    lines: list[str]
    labels: list[Label]
    reading: Reading


def read_log(system: str) -> Log:
    """The 2,000 lines of a system, such as `Apache`."""
    text = FOLDER.joinpath(f"{system}_2k.log").read_bytes().decode()
    rows = FOLDER.joinpath("labels", f"{system}.tsv").read_text().splitlines()
    written = [_time(row) for row in rows]
    labels = [
        Label((time - _EPOCH) // datetime.resolution * 1000, row.split("\t")[2].replace("-", ""))
        for row, time in zip(rows, written, strict=True)
    ]
    end_of_year = int(datetime(written[-1].year, 12, 31, tzinfo=UTC).timestamp() * 1000)
    return Log([line for line in text.split("\n") if line.strip()], labels, Reading.of_record(end_of_year))


def _time(row: str) -> datetime:
    """The time of a row of labels: line number, time (one without a year is put in 2005), level or "-"."""
    return datetime.fromisoformat(row.split("\t")[1].replace("-----", "2005-")).replace(tzinfo=UTC)
