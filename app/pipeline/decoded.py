"""What decoding a chunk comes to: its rows as they were read, and then what is stored. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field

from app.domain.attribute_limits import PROBLEM
from app.domain.records import RecordChunk
from app.domain.rows import Rows
from app.formats.reading import ReadingRules
from app.pipeline.false_receipts import without_false_receipts

Problems = dict[int, list[str]]
"""What was not understood, by row; each entry begins with a word of a bounded set and a colon."""


class ReadRows(Struct, frozen=True):
    """The rows of a chunk, in order, as its records say them: nothing is masked yet."""

    rows: Rows
    problems: Problems
    with_proven_receipt: Sequence[int] = ()
    """The rows whose record has a receipt that one of our receivers signed."""
    have_usual_names: bool = False
    """Whether it is known that no attribute is named like those of receipts, and all are within the limits."""


ReadChunk = Callable[[RecordChunk], ReadRows]
"""Reads the records of a chunk. Every reader makes the same rows: `decode.read_rows` says which."""


class Decoded(Struct, frozen=True):
    """Rows of a chunk, and the number of rows with a problem, by its first word (bounded cardinality, for metrics)."""

    rows: Rows
    problems: Mapping[str, int]
    masked: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    """For each row with secrets how many of them were masked, by rule."""

    def masked_counts(self) -> Mapping[str, int]:
        """How many secrets were masked in all rows, by rule."""
        counts: Counter[str] = Counter()
        for of_row in self.masked.values():
            counts.update(of_row)
        return counts


def decoded(read: ReadRows, rules: ReadingRules) -> Decoded:
    """The rows to store of those that were read, whoever read them."""
    if read.have_usual_names and rules.masking is None and not read.problems:
        return Decoded(read.rows, {})
    rows = without_false_receipts(read.rows, read.with_proven_receipt)
    # Whatever was read. What is beyond the limits becomes one text, so it is masked before.
    rows, masked = (rows, {}) if rules.masking is None else rules.masking.masked(rows)
    rows, beyond = rules.limits.kept(rows)
    problems = {row: {problem.partition(":")[0] for problem in found} for row, found in read.problems.items()}
    for row in beyond:
        problems.setdefault(row, set()).add(PROBLEM)  # one whose values are nested too deeply as well counts once
    return Decoded(rows, Counter(word for words in problems.values() for word in words), masked)
