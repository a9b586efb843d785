"""The name of a reader."""

import pytest

from app.domain.reader import Reader

READER = Reader({"CLICKHOUSE_RETENTION_DAYS": "30", "OTHER": ""}, zone_rules="2026.6", version=1)


def test_the_same_reader_always_has_the_same_name() -> None:
    same = Reader({"OTHER": "", "CLICKHOUSE_RETENTION_DAYS": "30"}, zone_rules="2026.6", version=1)

    assert READER.name == same.name == "5113354c"


@pytest.mark.parametrize(
    "other",
    [
        Reader(READER.settings, READER.zone_rules, version=2),
        Reader(READER.settings, "2026.7", version=1),
        Reader({"CLICKHOUSE_RETENTION_DAYS": "31", "OTHER": ""}, READER.zone_rules, version=1),
        Reader({"CLICKHOUSE_RETENTION_DAYS": "30"}, READER.zone_rules, version=1),
    ],
    ids=["version", "zone rules", "setting", "fewer settings"],
)
def test_whatever_determines_the_reading_changes_the_name(other: Reader) -> None:
    assert other.name != READER.name
