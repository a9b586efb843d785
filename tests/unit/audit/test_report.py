"""A verdict as text and as data."""

import json

import pytest
from msgspec.structs import replace

from app.audit.report import as_data, lines, spans_in_words, summary
from app.audit.verdict import Finding, Kind, PartitionVerdict, Verdict, exit_code
from app.domain.offsets import Span
from app.domain.records import Partition
from tests.unit.audit.memory import offsets


def verdict(*findings: Finding, records: int = 100, rows: int = 100, removed: int = 0, **others: int) -> Verdict:
    partition = PartitionVerdict(
        offsets(), Span(0, 100), records=records, rows=rows, removed=removed, findings=findings
    )
    return Verdict({"logs": "id"}, {Partition("logs", 0): partition}, others)


def finding(kind: Kind, first: int, next_offset: int, count: int | None = None) -> Finding:
    return Finding(kind, Span(first, next_offset), next_offset - first if count is None else count)


MISSING = finding(Kind.MISSING, 40, 50)
UNVERIFIED = finding(Kind.UNVERIFIED, 0, 10)
ONE = verdict().partitions[Partition("logs", 0)]


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        (verdict(), 0, "100 offsets consumed, 100 records stored: nothing is missing or duplicated."),
        (verdict(MISSING, records=90), 1, "100 offsets consumed, 90 records stored: 10 missing."),
        (
            verdict(finding(Kind.DUPLICATED, 5, 6, 2), finding(Kind.INCOMPLETE, 7, 8)),
            1,
            "100 offsets consumed, 100 records stored: 1 incomplete, 2 duplicated.",
        ),
        (verdict(finding(Kind.SUPERSEDED, 5, 6, 2)), 1, "100 offsets consumed, 100 records stored: 2 superseded."),
        (verdict(finding(Kind.LOST, 0, 10), finding(Kind.EMPTY, 10, 11)), 0, "100 offsets consumed, 100 records"),
        (verdict(UNVERIFIED), 2, "100 offsets consumed, 100 records stored: 10 could not be checked, of the others"),
        (verdict(UNVERIFIED, MISSING), 1, "100 offsets consumed, 100 records stored: 10 missing."),
        (Verdict({"logs": "id"}, {}), 0, "Nothing to check: the group has consumed no record of this time."),
    ],
)
def test_the_last_line_and_the_exit_code_say_how_it_ended(found: Verdict, code: int, words: str) -> None:
    assert exit_code(found) == code
    assert summary(found).startswith(words)
    assert list(lines(found))[-1] == summary(found)


def test_every_missing_range_is_listed_below_its_explanation() -> None:
    output = list(lines(verdict(MISSING, finding(Kind.MISSING, 7, 8), records=89)))

    assert output[4:6] == [
        "missing: Kafka has these records, the table does not",
        "  logs/0  11 records: offsets 7, 40 to 49",
    ]


def test_offsets_without_a_record_are_counted_and_not_listed() -> None:
    output = list(lines(verdict(finding(Kind.EMPTY, 7, 8), records=99, rows=99)))

    assert output[0].endswith("no record")
    assert not any("offsets 7" in line for line in output)


def test_columns_stand_under_each_other() -> None:
    found = Verdict({"logs": "id"}, {Partition("logs", n): ONE for n in range(12)})

    table = list(lines(found))[:14]

    assert len({len(line) for line in table}) == 1
    assert table[0].split("  ")[0] == "partition"
    assert table[-1].split() == ["all", "1,200", "1,200", "0", "0", "0", "0"]


def test_rows_are_a_column_only_where_a_record_has_several() -> None:
    assert "rows" not in next(lines(verdict()))
    assert "rows" in next(lines(verdict(rows=300)))


def test_removed_records_are_a_column_only_where_there_are_some() -> None:
    assert "removed" not in next(lines(verdict()))
    assert "removed" in next(lines(verdict(removed=1)))


def test_other_topic_ids_are_reported_in_a_line() -> None:
    output = list(lines(verdict(earlier=12_345)))

    assert "Not checked: 12,345 rows of 1 other topic id (other topics, or this one before it was deleted" in output[-3]


def test_only_the_first_of_many_ranges_are_listed() -> None:
    spans = [Span(offset, offset + 1) for offset in range(0, 200, 2)]

    assert spans_in_words(spans) == "0, 2, 4, 6, 8, 10, 12, 14 and 92 other ranges"


def test_programs_get_all_of_it() -> None:
    found = verdict(MISSING, finding(Kind.DUPLICATED, 5, 6, 2), records=90, rows=92, removed=4, earlier=3)

    data = json.loads(json.dumps(as_data(found)))

    assert data == {
        "exit_code": 1,
        "summary": "100 offsets consumed, 90 records stored: 10 missing, 2 duplicated.",
        "topic_ids": {"logs": "id"},
        "partitions": [
            {
                "topic": "logs",
                "partition": 0,
                "kafka": {"begin": 0, "end": 100, "committed": 100},
                "first": 0,
                "next": 100,
                "records": 90,
                "rows": 92,
                "unparsed": 0,
                "removed": 4,
                "findings": [
                    {"kind": "missing", "first": 40, "last": 49, "count": 10},
                    {"kind": "duplicated", "first": 5, "last": 5, "count": 2},
                ],
            }
        ],
        "rows_of_other_topic_ids": {"earlier": 3},
        "topics_not_checked": [],
    }


def test_named_topics_that_are_not_there_are_not_checked_and_say_so() -> None:
    found = replace(verdict(), unchecked=["billing"])

    assert exit_code(found) == 2
    assert summary(found).endswith("1 topic could not be checked, of the others nothing is missing.")
    assert "Not checked: billing, which do not exist or may not be seen." in lines(found)
