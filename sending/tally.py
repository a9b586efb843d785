"""Counts the results of the records, and summarizes them in a few lines."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from app.errors import Refused, TryAgainLater
from app.input.lines import Line

_NAMED_FAILURES = 10


@dataclass
class Failures:
    """Records that failed for the same reason, the first few by number."""

    example: str
    count: int = 0
    numbers: list[int] = field(default_factory=list)


class Tally:
    """The results of the records. Updated by the sending thread and by the client's thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._started_at: float | None = None
        self._completed_at: float | None = None
        self.read_bytes = 0
        self.empty_lines = 0
        self.joined_lines = 0
        self.not_utf8 = 0
        self.notes: Counter[str] = Counter()
        self.without_key = 0
        self.sent = 0
        self.acknowledged = 0
        self.acknowledged_bytes = 0
        self.failed = 0
        self.failures: dict[str, Failures] = {}

    @property
    def in_flight(self) -> int:
        """Records that are neither acknowledged nor failed yet."""
        return self.sent - self.acknowledged - self.failed

    @property
    def seconds(self) -> float:
        """The time from the first record to the last acknowledgement or failure; to now while some are pending."""
        if self._started_at is None:
            return 0.0
        until = self._completed_at if self._completed_at is not None and not self.in_flight else self._clock()
        return until - self._started_at

    @property
    def records_per_second(self) -> float:
        return self.acknowledged / self.seconds if self.seconds else 0.0

    def read(self, line: Line) -> None:
        """Count what was read, whether it is sent or skipped."""
        self.read_bytes += line.size_bytes
        self.joined_lines += line.lines - 1
        if line.note:
            self.notes[line.note] += 1
        if line.is_blank:
            self.empty_lines += 1
        elif line.value is not None and not line.value.isascii() and not _is_utf8(line.value):
            self.not_utf8 += 1

    def send(self) -> None:
        """Count a record that is about to be passed to the publisher."""
        if self._started_at is None:
            self._started_at = self._clock()
        self.sent += 1

    def complete(self, number: int, size_bytes: int, error: TryAgainLater | Refused | None) -> None:
        """Count the record with this number as acknowledged, or as failed with this error."""
        with self._lock:
            self._completed_at = self._clock()
            if error is None:
                self.acknowledged += 1
                self.acknowledged_bytes += size_bytes
                return
            self.failed += 1
            failures = self.failures.setdefault(error.code, Failures(str(error)))
            failures.count += 1
            if len(failures.numbers) < _NAMED_FAILURES:
                failures.numbers.append(number)


def summary(tally: Tally, *, where: str, read: str = "") -> str:
    """The results in a few lines. `read` says what the input was."""
    size, rate = size_text(tally.acknowledged_bytes), f"{tally.records_per_second:,.0f} records/s"
    lines = [
        f"{tally.sent:,} sent, {tally.acknowledged:,} acknowledged, {tally.failed:,} failed",
        f"{size} in {tally.seconds:.1f} s to {where}: {rate}",
    ]
    if tally.in_flight:
        lines.append(f"{tally.in_flight:,} with unknown outcome: they may or may not have arrived")
    if read:
        lines.append(read)
    if tally.joined_lines:
        lines.append(f"{tally.joined_lines:,} lines joined to the event that they continue")
    if tally.empty_lines:
        lines.append(f"{tally.empty_lines:,} empty lines skipped")
    if tally.without_key:
        lines.append(f"{tally.without_key:,} sent without a key: they do not have the field")
    if tally.not_utf8:
        lines.append(
            f"{tally.not_utf8:,} are not UTF-8 and were sent as they are: name their --encoding, such as cp1252"
        )
    lines += [f"{count:,} {note}" for note, count in tally.notes.items()]
    for failures in tally.failures.values():
        numbers = ", ".join(map(str, failures.numbers)) + (", ..." if failures.count > len(failures.numbers) else "")
        lines.append(f"{failures.count:,} failed (number {numbers}): {failures.example}")
    return "\n".join(lines)


def read_from(name: str, kind: str, *, raw_bytes: int, unreadable: int) -> str:
    """What was read, and how it was understood."""
    text = f"read {size_text(raw_bytes)} of {name}" + (f" ({kind})" if kind else "")
    return text + (f", {unreadable:,} characters unreadable and replaced" if unreadable else "")


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def size_text(size_bytes: float) -> str:
    """A size for people."""
    for unit in ("bytes", "kB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} bytes" if unit == "bytes" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} GB"
