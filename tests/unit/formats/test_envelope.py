"""What headers and keys of records say about their events, and what of them is kept."""

from __future__ import annotations

import pytest

from app.domain.name_patterns import parse_patterns
from app.domain.records import Headers
from app.formats.envelope import NOTHING_SAID, Envelope, read_envelopes
from app.formats.kept_headers import MAX_CHARS, MAX_HEADERS, KeptParts, text_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01".encode()


def envelope_of(headers: Headers, key: bytes | None = None, kept: KeptParts | None = None) -> Envelope:
    [envelope] = read_envelopes([headers], [key], kept)
    return envelope


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ([("Service.Name", b" billing "), ("host.name", b"h")], {"service": "billing", "host": "h"}),
        ([("service.name", b"first"), ("service.name", b"second")], {"service": "first"}),
        ([("traceparent", PARENT)], {"trace_id": TRACE, "span_id": SPAN}),
        ([("traceparent", b"none"), ("service.name", None), ("host.name", b"")], {}),
        ([("service.name", b"caf\xe9")], {"service": "caf\ufffd"}),
    ],
)
def test_headers_give_fields(headers: Headers, fields: dict[str, str]) -> None:
    assert envelope_of(headers).fields == fields


def test_headers_that_say_nothing_are_nothing() -> None:
    kept = KeptParts(["tenant"], has_key=True)

    for headers in ((), [], [("content-type", b"application/json")], [("x", b"y"), ("tenant", b"")]):
        assert envelope_of(headers, None, kept) is NOTHING_SAID
    assert envelope_of([], b"", kept) is NOTHING_SAID


def test_records_that_follow_each_other_are_not_mixed() -> None:
    one, other = [("service.name", b"one")], [("service.name", b"other")]

    found = list(read_envelopes([one, one, other, (), one], [b"1", None, b"2", b"3", b"4"], KeptParts(has_key=True)))

    assert [envelope.fields.get("service") for envelope in found] == ["one", "one", "other", None, "one"]
    assert [[text for _, text in envelope.kept] for envelope in found] == [["1"], [], ["2"], ["3"], ["4"]]


def test_headers_whose_names_match_are_kept_and_no_others() -> None:
    kept = KeptParts(parse_patterns("request-id, Tenant-*"), has_key=True)
    headers: Headers = [("Request-ID", b"r1"), ("tenant-a", b"1"), ("tenant-a", b"2"), ("authorization", b"secret")]

    assert envelope_of(headers, b"user-7", kept).kept == [
        ("messaging.kafka.message.key", "user-7"),
        ("messaging.header.request-id", "r1"),
        ("messaging.header.tenant-a", "1"),
        ("messaging.header.tenant-a", "2"),
    ]


def test_only_so_many_headers_are_kept() -> None:
    assert len(KeptParts(["*"]).of_headers([(f"h{n}", b"v") for n in range(500)])) == MAX_HEADERS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        ("Zürich".encode(), "Zürich"),
        (b"\x00\x00\x00\x2a", "\0\0\0*"),
        (b"\xff\xfe1", r"\xff\xfe1"),
        (b"x" * 5000, "x" * MAX_CHARS),
        ("ü".encode() * 5000, "ü" * MAX_CHARS),
        ("€".encode() * 5000, "€" * MAX_CHARS),
        ("€".encode()[:2], r"\xe2\x82"),
    ],
)
def test_values_are_text_of_a_limited_length(value: bytes, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(("text", "wrong"), [("a,,b", "''"), ("a b", "'a b'"), ("x=1", "'x=1'")])
def test_what_is_no_name_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=f"must be names, comma-separated, .* {wrong} is none"):
        parse_patterns(text)
