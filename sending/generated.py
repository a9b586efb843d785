"""Generated events as lines of an input."""

from collections.abc import Iterator

from app.input.lines import Line
from sending.sample_logs import SampleLogs


def generated_lines(seed: int | None) -> Iterator[Line]:
    """An endless stream of sample events."""
    return (Line(number, event, len(event)) for number, event in enumerate(SampleLogs(seed), start=1))
