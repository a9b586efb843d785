"""Arrays of one value, which chunks share, are as long as they are asked to be."""

import pyarrow as pa
import pytest

from app.pipeline.arrow_maps import repeated


@pytest.mark.parametrize("count", [0, 1, 4_999, 5_000, 5_001])
def test_a_value_is_repeated_as_often_as_wanted(count: int) -> None:
    found = repeated("logs", count, pa.string())

    assert found.equals(pa.array(["logs"] * count, pa.string()))


def test_the_same_value_of_another_type_is_another_array() -> None:
    assert repeated(0, 2, pa.uint16()).type == pa.uint16()
    assert repeated(0, 2, pa.uint64()).type == pa.uint64()
    assert repeated("", 2, pa.string()).to_pylist() == ["", ""]
    assert repeated(b"", 2, pa.binary()).to_pylist() == [b"", b""]
