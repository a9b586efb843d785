"""No secret is in any column of a row, whatever carries it; and rows without secrets are as they were."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.event_time import EventTimeBounds
from app.domain.masking.parse import RULES, masking_of
from app.domain.records import Headers, Partition, RecordChunk
from app.domain.rows import flagged
from app.formats.kept_headers import KeptParts
from app.formats.reading import ReadingRules
from app.formats.record import read_record
from app.pipeline.decode import decode, envelopes_of, rows_of
from app.pipeline.decoded import Decoded
from app.pipeline.event_columns import EventColumns
from app.pipeline.guarded_decode import guarded
from tests.unit.pipeline.test_event_columns import objects, texts

RECORD_MS: Final = 1_795_960_800_000
BOUNDS: Final = EventTimeBounds.of_retention(30)
KEPT: Final = KeptParts(["*"], has_key=True)
MASKING: Final = ReadingRules(kept=KEPT, masking=masking_of(",".join(RULES), "customer C-[0-9]{8}"))
PLAIN: Final = ReadingRules(kept=KEPT)

SECRETS: Final = (
    "4111111111111111",
    "3782-822463-10005",
    "DE89370400440532013000",
    "bob.smith@example.org",
    "ghp_" + "a1b2" * 9,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP",
    "C-12345678",
)
"""What is known by its form."""

VALUES: Final = ("Hunter2", "corre ct ho rse", 'qu"ote\\s', "h,u;n&t", "geh\u00e9im", "Zz9")
"""What is known by the name in front of it."""

NAMES: Final = ("password", "db_password", "clientSecret", "X-Api-Key", "Authorization", "access_token", "set-cookie")
QUOTED: Final = "\"'`"


def chunk_of(
    *values: bytes, headers: Sequence[Headers] | None = None, keys: Sequence[bytes | None] | None = None
) -> RecordChunk:
    count = len(values)
    return RecordChunk(
        Partition("logs", 0),
        "id",
        range(7, 7 + count),
        [RECORD_MS] * count,
        values,
        headers or [()] * count,
        7 + count,
        keys or [None] * count,
    )


def event_by_event(chunk: RecordChunk, rules: ReadingRules) -> Decoded:
    events = EventColumns()
    for value, envelope in zip(chunk.values, envelopes_of(chunk, rules), strict=True):
        for item, event in enumerate(read_record(value, envelope, rules.reading_of(RECORD_MS))):
            events.add(event, item, envelope)
    return rows_of(events, chunk, BOUNDS, rules)


def everything(decoded: Decoded) -> str:
    """All texts of all rows, as they are and as JSON has them, and the bytes in both encodings."""
    rows = decoded.rows.select([name for name in decoded.rows.schema.names if name not in ("Timestamp",)]).to_pylist()
    raws = [row.pop("_raw") for row in rows]
    return "\n".join([repr(rows), *(raw.decode("latin-1") + raw.decode(errors="replace") for raw in raws)])


def holds(decoded: Decoded, secret: str) -> bool:
    """Whether a secret is there, with or without escapes and zeros."""
    found = everything(decoded)
    forms = [found, found.replace("\\x00", "").replace("\0", ""), found.replace("\\", "")]
    return any(form in text for text in forms for form in (secret, secret.replace("\\", "")))


def as_json(event: dict[str, Any]) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


Carrier = Callable[[str, str], bytes]  # by a name and its value

CARRIERS: Final[dict[str, Carrier]] = {
    "plain": lambda name, value: as_json({"message": "m", name: value}),
    "nested": lambda name, value: as_json({"message": "m", "http": {"request": {name: value}}, "n": 1}),
    "within": lambda name, value: as_json({"message": "m", name: {"value": value, "list": [value]}}),
    "list": lambda name, value: as_json({"message": "m", "all": [{name: value}, {"name": name, "value": value}]}),
    "no message": lambda name, value: as_json({"a": 1, name: value, "b": 2}),
    "long": lambda name, value: as_json({"a": "x" * 8170, name: value}),
    "template": lambda name, value: as_json({"@mt": "Hello {" + name + "}", name: value}),
    "json in json": lambda name, value: as_json({"message": json.dumps({name: value}), "level": "info"}),
    "docker": lambda name, value: as_json({"log": json.dumps({name: value}) + "\n", "stream": "stdout"}),
    "array": lambda name, value: json.dumps([{"msg": "a", name: value}, {"msg": "b"}]).encode(),
    "lines": lambda name, value: as_json({"msg": "a"}) + b"\n" + as_json({"msg": "b", name: value}),
    "gzip": lambda name, value: gzip.compress(as_json({"msg": "a", name: value}), mtime=0),
    "invalid": lambda name, value: as_json({"message": "m", name: value})[:-1],
    "text": lambda name, value: f"2026-11-29 10:15:01 ERROR failed {json.dumps({name: value})}".encode(),
    "not utf-8": lambda name, value: b"caf\xe9 " + as_json({name: value}),
    "latin-1": lambda name, value: ("\u00e9 " + json.dumps({name: value}, ensure_ascii=False)).encode("latin-1"),
    "logfmt": lambda name, value: f"level=info msg=m {name}={json.dumps(value, ensure_ascii=False)} n=1".encode(),
    "registry": lambda name, value: b"\0\0\0\0\7" + as_json({"message": "m", name: value}),
    "otlp": lambda name, value: as_json(
        {
            "resourceLogs": [
                {
                    "resource": {"attributes": [{"key": name, "value": {"stringValue": value}}]},
                    "scopeLogs": [
                        {
                            "logRecords": [
                                {
                                    "body": {"stringValue": "m"},
                                    "attributes": [{"key": name, "value": {"stringValue": value}}],
                                }
                            ]
                        }
                    ],
                }
            ]
        }
    ),
}
FORMS: Final[dict[str, Callable[[str], bytes]]] = {
    "text": lambda secret: f"paid with {secret} today".encode(),
    "message": lambda secret: as_json({"message": f"paid with {secret}"}),
    "key": lambda secret: as_json({"message": "m", secret: 1, f"a.{secret}": 2, "o": {secret: {"x": 1}}}),
    "value": lambda secret: as_json({"message": "m", "a": secret, "l": [secret], "user_id": secret}),
    "fields": lambda secret: as_json({"message": "m", "service": secret, "host": secret, "trace_id": f"t-{secret}"}),
    "level": lambda secret: as_json(
        {"message": "m", "level": secret, "span_id": f"s-{secret}", "response_time_ms": secret}
    ),
    "bytes": lambda secret: b"\xff " + secret.encode() + b" caf\xe9",
    "utf-16": lambda secret: ("\ufeff" + f"paid with {secret}").encode("utf-16-le"),
    "zeros": lambda secret: f"paid with {secret}".encode("utf-16-be"),
    "invalid": lambda secret: f'{{"a":"{secret}"'.encode(),
    "binary": lambda secret: b"\x01\x02\xff" + secret.encode() + b"\0",
}
HEADERS: Final[list[Callable[[str], tuple[str, bytes]]]] = [
    lambda secret: ("request-id", secret.encode()),
    lambda secret: ("service.name", secret.encode()),
    lambda secret: ("host.name", b"h " + secret.encode()),
    lambda secret: ("x-" + secret, b"\xff" + secret.encode()),
]


# Several records at once: patterns are compiled for every chunk, which takes longer than all else.
@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(CARRIERS)),
            st.sampled_from(NAMES),
            st.sampled_from(VALUES),
            st.sampled_from(["", " "]),
        ),
        min_size=1,
        max_size=10,
    )
)
def test_no_value_of_a_secret_name_is_stored(carried: list[tuple[str, str, str, str]]) -> None:
    chunk = chunk_of(*(CARRIERS[carrier](name, value) + more.encode() for carrier, name, value, more in carried))

    for decoded in (decode(chunk, BOUNDS, MASKING), event_by_event(chunk, MASKING)):
        assert [value for _, _, value, _ in carried if holds(decoded, value)] == []
        assert {decoded.rows["_offset"][row].as_py() for row in decoded.masked} == set(chunk.offsets)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(FORMS)), st.sampled_from(SECRETS), st.booleans()), min_size=1, max_size=10
    )
)
def test_no_secret_is_stored_that_is_known_by_its_form(given_forms: list[tuple[str, str, bool]]) -> None:
    records = []
    for form, secret, in_batch in given_forms:
        value = FORMS[form](secret)
        headers = [make(secret) for make in HEADERS] if in_batch else ()
        records.append((as_json({"message": "m"}) + b"\n" + value if in_batch else value, headers, secret.encode()))
    values, headers_of_all, keys = zip(*records, strict=True)
    chunk = chunk_of(*values, headers=headers_of_all, keys=keys)

    for decoded in (decode(chunk, BOUNDS, MASKING), event_by_event(chunk, MASKING)):
        refused = [flagged(decoded.rows.slice(row, 1), "refused: 6") for row in range(decoded.rows.num_rows)]
        for secret in {secret for _, secret, _ in given_forms}:
            assert not holds(decoded, secret)
            assert not any(holds(Decoded(row, {}), secret) for row in refused)


@settings(deadline=None, max_examples=200)
@given(st.lists(objects | texts, min_size=1, max_size=4))
def test_rows_without_secrets_are_as_they_were(values: list[bytes]) -> None:
    chunk = chunk_of(*values)
    plain, masked = decode(chunk, BOUNDS, PLAIN), decode(chunk, BOUNDS, MASKING)

    for row in range(plain.rows.num_rows):
        if row not in masked.masked:
            assert masked.rows.slice(row, 1).equals(plain.rows.slice(row, 1))
    assert masked.problems == plain.problems


def test_names_that_become_one_by_masking_are_there_once_each() -> None:
    decoded = decode(chunk_of(as_json({"message": "m", "a@x.org": 1, "b@x.org": 2})), BOUNDS, MASKING)

    assert decoded.rows["LogAttributes"].to_pylist() == [[("[masked:emails]", "1"), ("[masked:emails]_2", "2")]]


def test_ids_of_traces_stay_although_their_digits_may_be_those_of_a_card() -> None:
    value = as_json({"message": "m 4111111111111111", "span_id": "4111111111111111"})

    assert decode(chunk_of(value), BOUNDS, MASKING).rows["SpanId"].to_pylist() == ["4111111111111111"]


@pytest.mark.parametrize("raw", [b"\xff\xfep\0a\0", b"\x1f\x8b\xff", b"\xff\0\1avro"])
def test_bytes_that_are_no_text_are_not_kept(raw: bytes) -> None:
    decoded = decode(chunk_of(raw), BOUNDS, MASKING)

    assert decoded.rows["_raw"].to_pylist() == [b"[masked:binary]"]
    assert decoded.masked_counts() == {"binary": 1}


def test_a_record_at_which_the_reader_fails_is_masked_too_and_counted_by_its_row() -> None:
    def stumbling(chunk: RecordChunk) -> Decoded:
        if any(b"4111" in (value or b"") for value in chunk.values):
            raise ZeroDivisionError
        return decode(chunk, BOUNDS, MASKING)

    chunk = chunk_of(b"fine", b"paid with 4111111111111111")
    decoded = guarded(
        stumbling, stumbling, partial(rows_of, bounds=BOUNDS, rules=MASKING), partial(rows_of, bounds=BOUNDS)
    )(chunk)

    assert not holds(decoded, "4111111111111111")
    assert decoded.masked == {1: {"cards": 2}}, "in the text and in the bytes"
