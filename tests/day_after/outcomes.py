"""What came of an operator's step under load, as a page: events, lost, stored twice, the longest pause."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.pipeline import IDENTITY, Pipeline

_NAME = "day_after"
_COMMAND = "make day-after"
_PAGE = """# The day after: what an operator does, under load

- Command: `{command}`, or one row of it: `.venv/bin/python -m pytest -m day_after tests/day_after -k NAME`
- Each on a real Kafka and the real engine of this machine, busy with other work: seconds say little, zeros say all
- Longest pause: the longest time in which no insert ended; usually about a second

| what was done | date | events | lost | stored twice | took, s | longest pause, s |
| --- | --- | --: | --: | --: | --: | --: |
{rows}
"""
_LONGEST_PAUSE = """
SELECT max(dateDiff('millisecond', before, at)) / 1000 AS secs
FROM (
    SELECT _ingested AS at, lagInFrame(at, 1, at) OVER (ORDER BY at) AS before
    FROM (SELECT DISTINCT _ingested FROM logs.logs)
)
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one step."""

    events: int
    lost: int
    doubled: int
    took_secs: float
    longest_pause_secs: float

    @property
    def is_exact(self) -> bool:
        """Whether every event is stored once."""
        return self.lost == self.doubled == 0


def outcome_of(pipeline: Pipeline, lines: Sequence[str], began: float) -> Outcome:
    """Compare the lines that were sent with the table, which has them all; `began` is a moment of `time.monotonic`."""
    sent = Counter(lines)
    stored = Counter(row["Body"] for row in pipeline.query("SELECT Body FROM logs.logs"))
    [counts] = pipeline.query(f"SELECT count() - uniqExact{IDENTITY} AS doubled FROM logs.logs")
    [pause] = pipeline.query(_LONGEST_PAUSE)
    return Outcome(
        events=sent.total(),
        lost=(sent - stored).total(),
        doubled=max(int(counts["doubled"]), (stored - sent).total()),
        took_secs=round(time.monotonic() - began, 1),
        longest_pause_secs=round(float(pause["secs"]), 1),
    )


class Outcomes:
    """The last outcome of each step, in a folder; without one they are only checked."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def note(self, step: str, outcome: Outcome) -> None:
        """Write an outcome down, in place of an earlier one of the same step; fail if it is not exact."""
        if self._folder is not None:
            self._write(self._folder, step, outcome)
        assert outcome.is_exact, outcome

    def _write(self, folder: Path, step: str, outcome: Outcome) -> None:
        file = folder / f"{_NAME}.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        known[step] = {"date": datetime.now(UTC).date().isoformat(), **asdict(outcome)}
        file.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
        (folder / f"{_NAME}.md").write_text(
            _PAGE.format(command=_COMMAND, rows="\n".join(map(_row, sorted(known.items()))))
        )


def _row(item: tuple[str, dict[str, object]]) -> str:
    step, found = item
    cells = [step, found["date"], f"{found['events']:,}", found["lost"], found["doubled"]]
    cells += [found["took_secs"], found["longest_pause_secs"]]
    return f"| {' | '.join(map(str, cells))} |"
