"""What `python -m app explain` prints: rows in full, and a summary of all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from app.console import json_line
from app.domain.event_time import rfc3339
from app.domain.records import Headers, Partition, RecordChunk
from app.explain.explained import Explained, TimeFrom
from app.explain.explainer import Explainer
from app.explain.summary import Summary
from app.explain.text import lines_of
from app.input.lines import Line

_CHUNK_RECORDS: Final = 500


class Report:
    """Explains records, prints the first of them in full, and counts all."""

    def __init__(
        self,
        explainer: Explainer,
        *,
        now_ms: Callable[[], int],
        headers: Headers,
        limit: int | None,
        only_flagged: bool,
        as_json: bool,
        say: Callable[[str], Any],
    ) -> None:
        """`now_ms` is the time of records in Kafka, Unix epoch: of those that come next.

        `limit` is how many records are shown in full; None: the summary alone is wanted.
        """
        self._explainer = explainer
        self._now_ms = now_ms
        self._record_ms = now_ms()
        self._headers = headers
        self._limit = limit or 0
        self._is_summary = limit is None
        self._only_flagged = only_flagged
        self._as_json = as_json
        self._say = say
        self._summary = Summary()
        self._shown = 0
        self._too_long = 0

    def take(self, lines: Iterable[Line], *, is_live: bool) -> None:
        """Explain all records; of a live input each as soon as it comes, as long as they are shown."""
        chunk: list[Line] = []
        for line in lines:
            if line.value is None:
                self._too_long += 1
                continue
            chunk.append(line)
            if len(chunk) >= (1 if is_live and self._shown < self._limit else _CHUNK_RECORDS):
                self._explain(chunk)
                chunk.clear()
        self._explain(chunk)

    def end(self) -> None:
        """Print the summary, if there is more than one record or nothing else was printed."""
        summary = self._summary
        if self._as_json:
            if self._is_summary:
                self._say(json_line({**summary.as_object(), "too_long": self._too_long}))
            return
        if self._too_long:
            self._say(f"{self._too_long:,} records are longer than 1 MiB, and left out.")
        if self._is_summary or summary.records > 1 or (self._only_flagged and not self._shown):
            self._say(f"With the record time {rfc3339(self._record_ms * 10**6)}, and the settings of {self._name}:")
            for text in summary.lines():
                self._say(text)

    @property
    def _name(self) -> str:
        return f"reader {self._explainer.reader.name}"

    def _explain(self, lines: Sequence[Line]) -> None:
        if not lines:
            return
        count = len(lines)
        self._record_ms = self._now_ms()
        chunk = RecordChunk(
            partition=Partition("", 0),
            topic_id="",
            offsets=range(count),
            timestamps_ms=[self._record_ms] * count,
            values=[line.value for line in lines],
            headers=[self._headers] * count,
            next_offset=count,
        )
        rows: dict[int, list[Explained]] = {}
        for index, one in self._explainer.explain(chunk):
            rows.setdefault(index, []).append(one)
        for index, line in enumerate(lines):
            self._count(line, rows[index])

    def _count(self, line: Line, rows: Sequence[Explained]) -> None:
        self._summary.records += 1
        text = (line.value or b"")[:4096].decode(errors="replace")
        for one in rows:
            self._summary.add(self._summary.records, one, text, self._record_ms)
        is_wanted = not self._only_flagged or any(map(_is_flagged, rows))
        if is_wanted and self._shown < self._limit:
            self._shown += 1
            for number, one in enumerate(rows):
                for shown in self._lines(line, one, number, len(rows)):
                    self._say(shown)

    def _lines(self, line: Line, one: Explained, number: int, count: int) -> Iterator[str]:
        if self._as_json:
            yield json_line({"record": self._summary.records, "line": line.number, **_own(one)})
            return
        of_row = f", row {number + 1} of {count}" if count > 1 else ""
        yield f"record {self._summary.records:,}{of_row}: {one.form}"
        yield from lines_of(one)
        yield ""


def _own(one: Explained) -> dict[str, Any]:
    """The row without what only Kafka knows."""
    found = one.as_object()
    for name in ("topic", "partition", "offset", "topic_id"):
        del found["row"][name]
    return found


def _is_flagged(one: Explained) -> bool:
    return bool(one.row["parse_error"]) or one.time_from is TimeFrom.RECORD
