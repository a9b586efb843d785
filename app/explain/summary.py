"""What was understood of many records: counts, and the most frequent shapes with an example each."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from app.explain.explained import Explained, TimeFrom
from app.explain.text import in_one_line
from app.explain.zone_hint import ZoneHint

_MOST_SHAPES: Final = 1_000  # counted separately, to bound memory
_SHOWN_SHAPES: Final = 12
_OTHERS: Final = "(other shapes)"
_NO_LEVEL: Final = "none"
_MOST_LEVELS: Final = 20


class Example(NamedTuple):
    """The first record of a shape."""

    record: int
    text: str


class Summary:
    """Counts explained rows. Its size does not grow with their number."""

    def __init__(self) -> None:
        self.records = 0
        self.rows = 0
        self.times: Counter[TimeFrom] = Counter()
        self.levels: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.settings: Counter[str] = Counter()
        self.values: dict[str, str] = {}
        self.shapes: Counter[str] = Counter()
        self.examples: dict[str, Example] = {}
        self.zone = ZoneHint()

    def add(self, record: int, one: Explained, text: str, record_ms: int) -> None:
        """Count a row of a record, by its number, text and time in Kafka."""
        self.zone.add(one, record_ms)
        self.rows += 1
        self.times[one.time_from] += 1
        self._count_level(one.row["level"] if one.row["severity_number"] else "")
        for problem in filter(None, one.row["parse_error"].split("; ")):
            self.problems[problem if len(self.problems) < _MOST_SHAPES else "(other problems)"] += 1
        self.settings.update(one.settings.keys())
        self.values |= one.settings
        shape = shape_of(one)
        if shape not in self.shapes and len(self.shapes) >= _MOST_SHAPES:
            shape = _OTHERS
        self.shapes[shape] += 1
        self.examples.setdefault(shape, Example(record, in_one_line(text)))

    def _count_level(self, level: str) -> None:
        known = level in self.levels or len(self.levels) < _MOST_LEVELS
        self.levels[(level if known else "(others)") or _NO_LEVEL] += 1

    def as_object(self) -> dict[str, Any]:
        """All counts as a JSON object."""
        return {
            "records": self.records,
            "rows": self.rows,
            "times": {time_from.name.lower(): self.times[time_from] for time_from in TimeFrom},
            "levels": dict(self.levels.most_common()),
            "problems": dict(self.problems.most_common()),
            "zone": self.zone.text,
            "settings": {
                name: {"value": self.values[name], "rows": count} for name, count in self.settings.most_common()
            },
            "shapes": [
                {
                    "shape": shape,
                    "rows": count,
                    "record": self.examples[shape].record,
                    "text": self.examples[shape].text,
                }
                for shape, count in self.shapes.most_common()
            ],
        }

    def lines(self) -> Iterator[str]:
        """All counts for people."""
        yield f"{_several(self.records, 'record')}, {_several(self.rows, 'row')}"
        yield f"  time      {self._times()}"
        yield f"  level     {_counts(self.levels)}"
        yield f"  flagged   {_counts(self.problems) if self.problems else 'none'}"
        for name, count in self.settings.most_common():
            yield f"  setting   {_several(count, 'row')} would be others with another {name} than {self.values[name]!r}"
        if hint := self.zone.text:
            yield f"  zone      {hint}"
        yield ""
        yield "Shapes, the most frequent first:"
        for shape, count in self.shapes.most_common(_SHOWN_SHAPES):
            yield f"  {count:>9,}  {shape}"
            yield f"             record {self.examples[shape].record:,}: {self.examples[shape].text}"
        if (left := len(self.shapes) - _SHOWN_SHAPES) > 0:
            yield f"             and {_several(left, 'other shape')}"

    def _times(self) -> str:
        return ", ".join(f"{self.times[time_from]:,} {time_from.value}" for time_from in TimeFrom)


def shape_of(one: Explained) -> str:
    """What rows have in common that were read by the same rules."""
    parts = [one.form, f"time: {one.sources['timestamp'].source}"]
    if level := one.sources.get("level"):
        parts.append(f"level: {level.source}")
    return " | ".join(parts)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda pair: -pair[1]))


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
