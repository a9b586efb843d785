"""Columns of the table that every reader makes in the same way, from arrays that it has read. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.records import RecordChunk
from app.domain.severity import SEVERITY_NUMBER, severity_of_level
from app.domain.trace_ids import span_id_of, trace_id_of
from app.pipeline.arrow_maps import repeated

IDS: Final = {"trace_id": (32, trace_id_of), "span_id": (16, span_id_of)}
"""The number of digits of an id, and how one in another spelling is read."""

_HEX_DIGITS: Final = b"0123456789abcdef"
_LENGTHS: Final = {digits: pa.array([0, digits], pa.int32()) for digits, _ in IDS.values()}


def origin(chunk: RecordChunk, offsets: Sequence[int], reader: str) -> Mapping[str, pa.Array]:
    """Where each row came from; `offsets` are those of its record."""
    count = len(offsets)
    return {
        "_topic": repeated(chunk.partition.topic, count, pa.string()),
        "_topic_id": repeated(chunk.topic_id, count, pa.string()),
        "_partition": repeated(chunk.partition.number, count, pa.uint16()),
        "_offset": whole_numbers(offsets, pa.uint64()),
        "_reader": repeated(reader, count, pa.string()),
    }


def whole_numbers(numbers: Sequence[int], kind: pa.DataType) -> pa.Array:
    """Numbers as an array of 64 bits each; a memoryview of such is used where it lies."""
    if isinstance(numbers, memoryview):
        return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])
    return pa.array(numbers, kind)


def severity(levels: pa.StringArray) -> tuple[pa.StringArray, pa.UInt8Array]:
    """The texts that are stored for levels, and OpenTelemetry's numbers for them."""
    words = levels.dictionary_encode()
    return severity_of_words(levels, words.dictionary.to_pylist(), words.indices)


def severity_of_words(
    levels: pa.StringArray, words: Sequence[str], places: pa.Array
) -> tuple[pa.StringArray, pa.UInt8Array]:
    """The same, if it is known which words there are, and at which place among them the one of each row is."""
    names = [severity_of_level(word) or word for word in words]
    numbers = [SEVERITY_NUMBER.get(name, 0) for name in names]
    if names != words:
        levels = pa.array(names, pa.string()).take(places)
    return levels, pa.array(numbers, pa.uint8()).take(places)


def ids(name: str, texts: pa.StringArray) -> pa.StringArray:
    """The ids of traces or spans in one spelling."""
    digits, spelt = IDS[name]
    if _are_ids(texts, digits):
        return texts
    return pa.array([spelt(text) for text in texts.to_pylist()], pa.string())


def _are_ids(texts: pa.StringArray, digits: int) -> bool:
    """Whether every text is empty or an id of this many digits in the usual spelling; compiled code looks at all."""
    if not pc.all(pc.is_in(pc.binary_length(texts), _LENGTHS[digits])).as_py():
        return False
    data = texts.buffers()[2]
    joined = b"" if data is None else data.to_pybytes()
    return not joined.translate(None, _HEX_DIGITS) and b"0" * digits not in joined
