"""The two forms of texts, by Arrow and by compiled code. The same examples and the same random texts for both."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backends.clickhouse.text_forms import ArrowForms, TextForms
from app.build.native import installed
from tests.support.native import needs_native

# Lengths on both sides of those that take another byte, and few texts, so that many are the same.
TEXTS = st.one_of(st.binary(max_size=3), st.sampled_from([b"", b"a" * 127, b"b" * 128, b"c" * 16_383, b"d" * 16_384]))


@pytest.fixture(params=["arrow", pytest.param("compiled", marks=needs_native)])
def forms(request: pytest.FixtureRequest) -> TextForms:
    return ArrowForms() if request.param == "arrow" else compiled()


def compiled() -> TextForms:
    found = installed().forms
    assert found is not None
    return found


def test_each_text_has_its_length_before_it(forms: TextForms) -> None:
    written = bytes(forms.with_lengths(pa.array(["ab", "", "é", "x" * 300])))

    assert written == b"\x02ab" + b"\x00" + b"\x02\xc3\xa9" + b"\xac\x02" + b"x" * 300


def test_texts_that_are_all_empty_are_their_lengths(forms: TextForms) -> None:
    assert bytes(forms.with_lengths(pa.array(["", "", ""]))) == b"\x00\x00\x00"
    assert bytes(forms.with_lengths(pa.array([], pa.string()))) == b""


def test_the_different_texts_stand_in_the_order_in_which_they_come(forms: TextForms) -> None:
    found = forms.few_values(pa.array(["web", "", "db", "web", "db"]))

    assert (found.different, bytes(found.values), bytes(found.numbers)) == (3, b"\x03web\x00\x02db", b"\0\1\2\0\2")


@pytest.mark.parametrize(("different", "width"), [(256, 1), (257, 2), (65_536, 2), (65_537, 4)])
def test_more_texts_have_wider_numbers(forms: TextForms, different: int, width: int) -> None:
    found = forms.few_values(pa.array([f"{number:06}" for number in range(different)]))

    assert found.different == different
    assert bytes(found.numbers) == b"".join(number.to_bytes(width, "little") for number in range(different))


@needs_native
@given(st.lists(TEXTS, max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_compiled_code_writes_what_arrow_does(texts: list[bytes], first: int, count: int) -> None:
    array = pa.array(texts, pa.binary()).slice(min(first, len(texts)), count)

    assert bytes(compiled().with_lengths(array)) == bytes(ArrowForms().with_lengths(array))
    of_arrow, of_compiled = ArrowForms().few_values(array), compiled().few_values(array)
    assert of_compiled.different == of_arrow.different
    assert bytes(of_compiled.values) == bytes(of_arrow.values)
    assert bytes(of_compiled.numbers) == bytes(of_arrow.numbers)
