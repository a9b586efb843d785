"""JSON files that are not one object per line."""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.input.json_values import Document, document_of, json_values
from app.input.lines import Line
from tests.unit.input.chunks import cut, peak_bytes

MAX_BYTES = 100_000
EVENTS: list[Any] = [
    {"message": 'brackets ] } and a quote \\" in it', "n": 1},
    {"message": "größer 日本", "nested": {"list": [1, {"a": []}], "empty": {}}},
    {"message": "line\nend", "path": "C:\\"},
]


def values(text: bytes, document: Document, *, places: Sequence[int] = (), max_bytes: int = MAX_BYTES) -> list[Line]:
    return [line for line in json_values(cut(text, places), document, max_bytes) if line]


def read(text: bytes) -> list[Any]:
    return [json.loads(line.value or b"null") for line in values(text, document_of(text))]


@pytest.mark.parametrize("indent", [None, 0, 1, 2, "\t"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n \n"])
def test_the_elements_of_an_array_are_events(indent: int | str | None, end: str) -> None:
    text = (json.dumps(EVENTS, indent=indent) + end).encode()

    assert document_of(text) == "array"
    assert read(text) == EVENTS


@pytest.mark.parametrize("indent", [0, 2, "\t"])
@pytest.mark.parametrize("between", ["\n", "\n\n", "\r\n", ",\n", ""])
def test_objects_over_several_lines_are_events(indent: int | str, between: str) -> None:
    text = between.join(json.dumps(event, indent=indent) for event in EVENTS).encode()

    assert document_of(text) == "objects"
    assert read(text) == EVENTS


def test_objects_behind_each_other_on_one_line_are_events() -> None:
    text = b"".join(json.dumps(event).encode() for event in EVENTS)

    assert document_of(text) == "objects"
    assert read(text) == EVENTS


def test_a_json_sequence_is_understood() -> None:
    text = b"".join(b"\x1e" + json.dumps(event).encode() + b"\n" for event in EVENTS)

    assert read(text) == EVENTS


def test_arrays_behind_each_other_are_taken_apart() -> None:
    text = b'[{"a":1},{"a":2}]\n[{"a":3}]\n[]\n'

    assert read(text) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_an_array_may_hold_other_values() -> None:
    text = b'[\n{"a":1}, [1, [2]], "text ] with", 7, true, null , -1.5e3\n]'

    assert read(text) == [{"a": 1}, [1, [2]], "text ] with", 7, True, None, -1500.0]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"2026-11-29 INFO x\n",
        b"[2026-11-29 10:15:01] INFO x\n[2026-11-29 10:15:02] INFO x\n",
        b"[main] INFO x\n",
        b"[    0.000000] Linux version 6\n",
        b'["a"] is a list\n',
        b"{name} has joined\n",
        b'{"a":1}\n{"a":2}\n',
        b'{"a":1}\nsome text\n{"a":2}\n',
        b'{"a":1}',
        b'{"a": {"b": 1},\n{"a": {"b": 2}}\n',
        b'{"message":"cut o\n{"a":2}\n',
        b"{\n",
        b'{"a":"' + b"x" * 100_000,
    ],
)
def test_other_files_are_split_into_lines(text: bytes) -> None:
    assert document_of(text[:65536]) == ("objects" if text == b"{\n" else "")


@pytest.mark.parametrize("text", [b"[\n", b'[\n  {\n    "a', b'[{"a', b"[{", b"[]", b'{\n  "a'])
def test_a_beginning_is_enough(text: bytes) -> None:
    assert document_of(text)


def test_values_keep_their_bytes() -> None:
    text = b'[ {"a" : 1.50, "a":\t1e5} ,\n  { "b":"\\u00e9\xff" } ]'

    assert [line.value for line in values(text, "array")] == [b'{"a" : 1.50, "a":\t1e5}', b'{ "b":"\\u00e9\xff" }']


def test_text_between_objects_is_split_into_lines() -> None:
    text = b'{\n "a": 1\n}\n[main] some text }\nmore\r\n{"b": 2}\n'

    assert [line.value for line in values(text, "objects")] == [
        b'{\n "a": 1\n}',
        b"[main] some text }",
        b"more",
        b'{"b": 2}',
    ]


def test_a_value_without_an_end_is_sent_as_it_is_and_noted() -> None:
    first, last = values(b'[{"a":1},{"b":"x', "array")

    assert (first.value, first.note) == (b'{"a":1}', "")
    assert (last.value, last.note) == (b'{"b":"x', "JSON values without an end")


def test_a_missing_quote_does_not_swallow_the_next_objects() -> None:
    text = b'{\n "a": "no end,\n "b": "fine"\n}\n{\n "c": 1\n}\n'

    assert [line.value for line in values(text, "objects")][-1] == b'{\n "c": 1\n}'


def test_a_value_that_is_too_long_is_not_held_and_its_neighbours_are_untouched() -> None:
    text = b'[{"a":1},{"b":"' + b"x" * 5_000 + b'"},{"c":1}]'

    found = values(text, "array", places=range(0, 5_000, 100), max_bytes=100)

    assert [(line.number, line.value) for line in found] == [(1, b'{"a":1}'), (2, None), (3, b'{"c":1}')]
    assert found[1].size_bytes > 5_000


def test_a_value_without_an_end_takes_no_more_memory_than_a_record() -> None:
    chunks = (b'[{"a":"' + b"x" * 10_000 for _ in range(1_000))

    assert peak_bytes(json_values(chunks, "array", MAX_BYTES)) < 500_000


def test_an_array_takes_no_more_memory_than_an_element() -> None:
    chunks = (b'{"message":"' + b"x" * 10_000 + b'"},\n' for _ in range(1_000))

    assert peak_bytes(json_values(chain([b"["], chunks), "array", MAX_BYTES)) < 500_000


def test_an_event_is_there_as_soon_as_it_ends_and_a_pause_is_passed_on() -> None:
    found = json_values(iter([b'[{"a":1', b"", b'},{"b"', b":1}]"]), "array", MAX_BYTES)

    assert next(found) is None
    assert (next(found) or Line(0, b"", 0)).value == b'{"a":1}'


inner = st.none() | st.text(max_size=6) | st.integers() | st.lists(st.text(max_size=2), max_size=2)
json_events = st.lists(st.dictionaries(st.text(max_size=4), inner, max_size=3), min_size=1, max_size=4)


@given(json_events, st.sampled_from([None, 0, 2]), st.booleans(), st.lists(st.integers(0)))
def test_chunks_may_end_anywhere(events: list[Any], indent: int | None, is_ascii: bool, places: list[int]) -> None:
    array = json.dumps(events, indent=indent, ensure_ascii=is_ascii).encode(errors="replace")

    found = values(array, "array", places=places)

    assert found == values(array, "array")
    assert [json.loads(line.value or b"") for line in found] == json.loads(array)


@given(st.text('{}[]",:\\ \n1a'), st.lists(st.integers(0)), st.sampled_from(["array", "objects"]))
def test_anything_is_split_the_same_way_wherever_chunks_end(text: str, places: list[int], document: Document) -> None:
    content = text.encode()

    assert values(content, document, places=places, max_bytes=20) == values(content, document, max_bytes=20)
