"""Texts of Arrow in the two forms in which ClickHouse's format Native has them, by Arrow or by compiled code. Pure."""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.records import Buffer

_SHORT: Final = 128  # a length below it is one byte


class FewValues(NamedTuple):
    """The different ones of some texts, and for each text the number of its own, from 0 on.

    The numbers are as wide as `different`, which counts them, needs: 1, 2 or 4 bytes.
    """

    different: int
    values: Buffer
    numbers: Buffer


class TextForms(Protocol):
    """Writes arrays of texts or bytes in which no value is missing; they may be parts of others."""

    def with_lengths(self, texts: pa.Array, /) -> Buffer:
        """The texts one behind the other, each with its length before it (`written_number`)."""

    def few_values(self, texts: pa.Array, /) -> FewValues:
        """The different texts, with their lengths, and for each which one it is."""


class ArrowForms:
    """The reference: Arrow's own functions."""

    def with_lengths(self, texts: pa.Array) -> Buffer:
        """See `TextForms`."""
        lengths = pc.binary_length(texts)
        longest = pc.max(lengths).as_py()
        if not longest:
            return bytes(len(texts))
        prefixes = _short_lengths(lengths) if longest < _SHORT else _any_lengths(lengths)
        return _data(pc.binary_join_element_wise(prefixes, texts.cast(pa.binary()), b""))

    def few_values(self, texts: pa.Array) -> FewValues:
        """See `TextForms`."""
        found = texts.dictionary_encode()
        different = len(found.dictionary)
        number = pa.uint8() if different <= 1 << 8 else pa.uint16() if different <= 1 << 16 else pa.uint32()
        return FewValues(different, self.with_lengths(found.dictionary), found.indices.cast(number).buffers()[1])


class CompiledForms:
    """The same by the functions of compiled code, which take offsets and data."""

    def __init__(
        self,
        with_lengths: Callable[[Buffer, Buffer], Buffer],
        few_values: Callable[[Buffer, Buffer], tuple[int, Buffer, Buffer]],
    ) -> None:
        self._with_lengths = with_lengths
        self._few_values = few_values

    def with_lengths(self, texts: pa.Array) -> Buffer:
        """See `TextForms`."""
        return self._with_lengths(*_buffers(texts))

    def few_values(self, texts: pa.Array) -> FewValues:
        """See `TextForms`."""
        return FewValues(*self._few_values(*_buffers(texts)))


def written_number(number: int) -> bytes:
    """A number in as many bytes as it needs, seven bits in each."""
    written = bytearray()
    while number >= _SHORT:
        written.append(number % _SHORT | _SHORT)
        number //= _SHORT
    written.append(number)
    return bytes(written)


def _short_lengths(lengths: pa.Int32Array) -> pa.BinaryArray:
    """Each length as one byte."""
    offsets = pa.arange(0, len(lengths) + 1).cast(pa.int32())
    buffers = [None, offsets.buffers()[1], lengths.cast(pa.uint8()).buffers()[1]]
    return pa.Array.from_buffers(pa.binary(), len(lengths), buffers)


def _any_lengths(lengths: pa.Int32Array) -> pa.BinaryArray:
    found = lengths.dictionary_encode()
    return pa.array(map(written_number, found.dictionary.to_pylist()), pa.binary()).take(found.indices)


def _data(texts: pa.BinaryArray) -> Buffer:
    """The bytes of a new array, without what lies behind them."""
    _, offsets, data = texts.buffers()
    end = pa.Array.from_buffers(pa.int32(), len(texts) + 1, [None, offsets])[-1].as_py()
    return data.slice(0, end)


def _buffers(texts: pa.Array) -> tuple[memoryview, memoryview]:
    """Offsets and data of an array, which may be a part of another, as bytes."""
    _, offsets, data = texts.buffers()
    width = pa.int32().bit_width // 8
    mine = memoryview(offsets)[texts.offset * width : (texts.offset + len(texts) + 1) * width]
    return mine.cast("B"), memoryview(data or b"").cast("B")
