"""However many attributes a record has, and however deep, its row is bounded, and nothing is lost."""

import json

import pytest

from app.domain.attribute_limits import AttributeLimits
from app.domain.event_time import EventTimeBounds
from app.domain.masking.parse import masking_of
from app.domain.records import Partition, RecordChunk
from app.formats.reading import ReadingRules
from app.pipeline.decode import decode
from app.pipeline.decoded import Decoded

BOUNDS = EventTimeBounds.of_retention(30)


def decoded(events: list[dict[str, object]], rules: ReadingRules) -> Decoded:
    values: list[bytes | None] = [json.dumps(event).encode() for event in events]
    count = len(values)
    chunk = RecordChunk(
        Partition("logs", 0), "id", range(count), [1_795_960_800_000] * count, values, [()] * count, count
    )
    return decode(chunk, BOUNDS, rules)


def test_what_is_beyond_the_number_is_one_text_and_the_row_is_flagged() -> None:
    many: dict[str, object] = {"message": "m", **{f"key{number}": number for number in range(50_000)}}
    found = decoded([{"message": "few", "a": 1}, many, {"message": "few", "b": 2}], ReadingRules())

    first, row, last = found.rows["LogAttributes"].to_pylist()
    assert (first, last) == ([("a", "1")], [("b", "2")])
    assert len(row) == 1001
    assert {**dict(row[:-1]), **json.loads(dict(row)["log.overflow"])} == {
        f"key{number}": str(number) for number in range(50_000)
    }
    assert found.problems["attributes"] == 1
    assert "attributes: more than 1,000" in found.rows["ParseError"].to_pylist()[1]
    assert found.rows["ParseError"].to_pylist()[0] == ""


def test_names_that_are_too_long_are_kept_there_too() -> None:
    rules = ReadingRules(limits=AttributeLimits(10, 32))
    found = decoded([{"message": "m", "a": 1, "b" * 33: 2, "log.overflow": "x", "c" * 32: 3}], rules)

    [row] = found.rows["LogAttributes"].to_pylist()
    assert dict(row) == {
        "a": "1",
        "log.overflow": "x",
        "c" * 32: "3",
        "log.overflow_2": json.dumps({"b" * 33: "2"}).replace(" ", ""),
    }


def test_what_is_beyond_is_masked_before() -> None:
    rules = ReadingRules(masking=masking_of("passwords", ""), limits=AttributeLimits(10, 32))
    event: dict[str, object] = {**{f"key{number}": number for number in range(10)}, "password": "corre ct horse"}
    found = decoded([event], rules)

    assert "ct horse" not in repr(found.rows.to_pylist())
    assert "[masked:passwords]" in dict(found.rows["LogAttributes"].to_pylist()[0])["log.overflow"]


def nested(depth: int) -> dict[str, object]:
    """An object with `depth` objects in it, one within the other."""
    found: dict[str, object] = {"leaf": 1}
    for _ in range(depth):
        found = {"k": found}
    return found


def test_what_is_nested_deeper_is_the_text_of_one_attribute_and_the_row_is_flagged() -> None:
    found = decoded([{"message": "m", **nested(depth)} for depth in (16, 17, 100)], ReadingRules())

    *rows, deepest = [dict(row) for row in found.rows["LogAttributes"].to_pylist()]
    name = ".".join(["k"] * 17)
    assert rows == [{".".join(["k"] * 16 + ["leaf"]): "1"}, {name: '{"leaf":1}'}]
    assert json.loads(deepest[name]) == nested(83)
    assert found.rows["ParseError"].to_pylist() == ["", *["attributes: nested more than 16 deep"] * 2]
    assert found.problems == {"attributes": 2}


@pytest.mark.parametrize(
    ("event", "attributes"),
    [
        ({"a": {"b": {"c": 1}, "d": 2}}, {"a.b": '{"c":1}', "a.d": "2"}),
        ({"service": {"name": "web", "node": {"name": "x"}}}, {"service.node": '{"name":"x"}'}),
        ({"service": {"name": {"x": 1}}}, {"service.name": '{"x":1}'}),
        ({"host": {"name": "web"}, "log": {"file": {"path": "/x"}}}, {"log.file": '{"path":"/x"}'}),
    ],
    ids=["an attribute", "beside a field", "under the name of a field", "with an object as a field"],
)
def test_the_depth_is_a_setting(event: dict[str, object], attributes: dict[str, str]) -> None:
    found = decoded([{"message": "m", **event}], ReadingRules(limits=AttributeLimits(depth=1)))

    [row] = found.rows["LogAttributes"].to_pylist()
    assert dict(row) == attributes
    assert found.rows["ParseError"].to_pylist() == ["attributes: nested more than 1 deep"]


def test_values_in_a_carrier_have_the_same_limit() -> None:
    event = {"message": "m", "a": {"b": {"c": 1}}}
    outer: dict[str, object] = {
        "log": json.dumps(event),
        "stream": "stdout",
        "kubernetes": {"labels": {"app": {"x": 1}}},
    }
    found = decoded([outer], ReadingRules(limits=AttributeLimits(depth=1)))

    [row] = found.rows["LogAttributes"].to_pylist()
    assert dict(row)["a.b"] == '{"c":1}'
    assert found.rows["ParseError"].to_pylist() == ["attributes: nested more than 1 deep"]


def test_a_row_that_is_beyond_two_limits_counts_once() -> None:
    event: dict[str, object] = {**{f"key{number}": number for number in range(20)}, "a": {"b": {"c": 1}}}
    found = decoded([{"message": "m", **event}], ReadingRules(limits=AttributeLimits(10, 32, depth=1)))

    assert found.problems == {"attributes": 1}
    [problem] = found.rows["ParseError"].to_pylist()
    assert problem == (
        "attributes: nested more than 1 deep; attributes: more than 10, or names of more than 32 characters"
    )
