"""JSON that strict parsers refuse, flattening, and values as text."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.json_values import as_text, flatten
from app.formats.json_text import parse_fast, parsed_leniently

patiently = settings(deadline=None)  # the first use of Arrow and a busy machine are slow

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=4), json_values, max_size=4)


@patiently
@given(objects, st.booleans(), st.sampled_from([None, 2]))
def test_both_parsers_read_what_was_written(value: dict[str, Any], ensure_ascii: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent).encode()

    assert parse_fast(text) == value
    assert parsed_leniently(text) == (value, "")


@patiently
@given(st.text(alphabet='\\ud83DeE00"nxA ', max_size=14))
def test_both_parsers_agree_on_escapes(inside: str) -> None:
    text = f'{{"k":"{inside}"}}'.encode()
    try:
        fast = parse_fast(text)
    except ValueError:
        return

    assert parsed_leniently(text) == (fast, "")


@patiently
@given(st.binary(max_size=40).map(lambda inside: b'{"k":' + inside + b"}"))
@example(b'{"k":"\xed\xa0\x80"}')
@example(rb'{"k":"\ud83d\u0041"}')
@example(rb'{"k":"\ud8')
def test_the_lenient_parser_returns_an_object_of_valid_text_or_a_short_reason(text: bytes) -> None:
    try:
        parsed, reason = parsed_leniently(text)
    except ValueError as error:
        reason, parsed = str(error), {}

    assert reason in ("", "utf-8: invalid bytes", "json: lone surrogate", "not valid", "nested too deeply")
    assert parse_fast(json.dumps(parsed, ensure_ascii=False).encode()) == parsed


@pytest.mark.parametrize("text", [b"[1]", b"1", b'"a"', b"null", b"NaN"])
def test_the_fast_parser_refuses_values_that_are_no_objects(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_fast(text)


@pytest.mark.parametrize("text", [b"", b"{", b'{"a":1}{', b'{"a":01}', b'{"a":1,}', b"{'a':1}"])
def test_both_parsers_refuse_invalid_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_fast(text)
    with pytest.raises(ValueError, match="not valid"):
        parsed_leniently(text)


def test_the_last_of_duplicate_keys_counts_for_both() -> None:
    text = b'{"a":1,"a":{"b":1,"b":2}}'

    assert parse_fast(text) == parsed_leniently(text)[0] == {"a": {"b": 2}}


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "-Infinity", "8" * 5000])
def test_a_number_that_python_cannot_hold_stays_text(number: str) -> None:
    assert parsed_leniently(f'{{"a":[{number}]}}'.encode()) == ({"a": [number]}, "")


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**100])
def test_integers_of_any_size_are_exact(number: int) -> None:
    text = json.dumps({"a": number}).encode()

    assert parse_fast(text) == parsed_leniently(text)[0] == {"a": number}
    assert as_text(number) == str(number)
    assert as_text([number]) == f"[{number}]"


def test_an_error_names_nothing_of_the_content() -> None:
    with pytest.raises(ValueError, match=r"^not valid$") as caught:
        parsed_leniently(b'{"password":"geheim"')

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


# Flattening


def test_nested_keys_are_joined_by_dots_in_their_order() -> None:
    event = {"a": 1, "b": {"c": 2, "d": {"e": [1, {"f": 2}], "g": {}}, "h": None}, "i": 3}

    leaves, is_deeper = flatten(event, 16)

    assert not is_deeper
    assert leaves == [
        ("a", 1),
        ("b.c", 2),
        ("b.d.e", [1, {"f": 2}]),
        ("b.d.g", {}),
        ("b.h", None),
        ("i", 3),
    ]


def test_too_deeply_nested_values_stay_whole() -> None:
    event: dict[str, Any] = {"leaf": 1}
    for _ in range(20):
        event = {"k": event}

    [(name, value)], is_deeper = flatten(event, 16)

    assert is_deeper
    assert name == ".".join(["k"] * 17)
    assert as_text(value) == '{"k":{"k":{"k":{"leaf":1}}}}'


@pytest.mark.parametrize(("value", "is_deeper"), [(1, False), ({}, False), ([{"k": 1}], False), ({"k": 1}, True)])
def test_only_full_objects_are_nested_deeper(value: object, is_deeper: bool) -> None:
    assert flatten({"a": {"b": value}}, 1) == ([("a.b", value)], is_deeper)


@patiently
@given(objects)
def test_flattening_keeps_every_leaf(event: dict[str, Any]) -> None:
    leaves, is_deeper = flatten(event, 16)

    assert not is_deeper
    assert [value for _, value in leaves] == list(_leaves(event))


def _leaves(value: dict[str, Any]) -> list[Any]:
    found = []
    for item in value.values():
        found += _leaves(item) if isinstance(item, dict) and item else [item]
    return found


# Text


@pytest.mark.parametrize(
    ("value", "text"),
    [("as is", "as is"), ("", ""), (True, "true"), (None, "null"), (1, "1"), (1.5, "1.5"), (["é", {}], '["é",{}]')],
)
def test_strings_are_bare_and_all_else_is_json(value: object, text: str) -> None:
    assert as_text(value) == text


@patiently
@given(json_values.filter(lambda value: not isinstance(value, str)))
def test_text_of_a_value_reads_back_as_the_value(value: object) -> None:
    assert json.loads(as_text(value)) == value


@pytest.mark.parametrize("depth", [10, 500, 5000, 50_000])
def test_depth_is_no_limit_for_text(depth: int) -> None:
    value: Any = ["a", 1, None]
    for _ in range(depth):
        value = {"k": [value, {"é\n": True, "": 1.5}], "l": []}

    text = as_text(value)

    assert text.startswith('{"k":[{"k":[' if depth > 1 else "")
    assert text.count('["a",1,null]') == 1
    assert text.count('{"é\\n":true,"":1.5}') == depth
    assert text.count('],"l":[]}') == depth
    assert len(text) == len('["a",1,null]') + depth * len('{"k":[,{"é\\n":true,"":1.5}],"l":[]}')


def test_no_number_that_is_not_finite_ever_comes_out() -> None:
    parsed, _ = parsed_leniently(b'{"a":1e309,"b":-1e309,"c":1e308}')

    assert [type(value) for value in parsed.values()] == [str, str, float]
    assert math.isfinite(parsed["c"])
