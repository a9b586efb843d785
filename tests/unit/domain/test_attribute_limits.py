"""However many attributes a record has, its row has a bounded number, and nothing is lost."""

import json

from app.domain.attribute_limits import AttributeLimits
from app.domain.event_time import EventTimeBounds
from app.domain.masking.parse import masking_of
from app.domain.records import Partition, RecordChunk
from app.formats.reading import ReadingRules
from app.pipeline.decode import Decoded, decode

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
