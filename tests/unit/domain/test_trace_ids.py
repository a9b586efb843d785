"""Ids of traces and spans in one spelling, from the forms that tracers write."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.trace_ids import context_of, decimal_trace_id, span_id_of, trace_id_of
from tests.unit.formats.test_json_events import row_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        (TRACE, TRACE),
        (TRACE.upper(), TRACE),
        (f" {TRACE}\n", TRACE),
        ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", TRACE),
        ("4BF92F35 77B34DA6 A3CE929D 0E0E4736", TRACE),
        (SPAN, "0" * 16 + SPAN),
        (f"projects/p/traces/{TRACE}", TRACE),
        ("1-4bf92f35-77b34da6a3ce929d0e0e4736", TRACE),
        *(("0" * digits, "") for digits in (16, 32)),
        *((text, text) for text in ("", "aa", "abc-1", "g" * 32, TRACE + "0", "x" * 1000, "a/b")),
    ],
)
def test_a_trace_has_one_id_however_it_is_spelt(text: str, trace: str) -> None:
    assert trace_id_of(text) == trace


@pytest.mark.parametrize(("text", "span"), [(SPAN, SPAN), (SPAN.upper(), SPAN), ("0" * 16, ""), ("7", "7"), ("", "")])
def test_a_span_has_one_id_too(text: str, span: str) -> None:
    assert span_id_of(text) == span


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (f"00-{TRACE}-{SPAN}-01", (TRACE, SPAN)),
        (f"00-{'0' * 32}-{SPAN}-01", ("", SPAN)),
        (f"{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90", (TRACE, SPAN)),
        (f"{TRACE}-{SPAN}", (TRACE, SPAN)),
        (f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1", (TRACE, SPAN)),
        (f"Self=1-00000000-0;Root=1-{TRACE[:8]}-{TRACE[8:]}", (TRACE, "")),
        (f"{TRACE}/16;o=1", (TRACE, "0000000000000010")),
        ("0", ("", "")),
        ("anything else", ("", "")),
    ],
)
def test_a_header_holds_the_ids_of_trace_and_span(text: str, ids: tuple[str, str]) -> None:
    assert context_of(text) == ids


@pytest.mark.parametrize(
    ("text", "trace"),
    [("16", f"{16:032x}"), (str(2**64 - 1), "0" * 16 + "f" * 16), (TRACE, TRACE), ("0", ""), (str(2**64), str(2**64))],
)
def test_datadogs_decimal_numbers_become_digits(text: str, trace: str) -> None:
    assert decimal_trace_id(text) == trace


@given(st.text(max_size=60))
def test_an_id_is_the_same_when_it_is_read_again(text: str) -> None:
    assert trace_id_of(trace_id_of(text)) == trace_id_of(text)
    assert span_id_of(span_id_of(text)) == span_id_of(text)


@pytest.mark.parametrize(
    ("event", "trace", "span"),
    [
        ({"trace_id": TRACE.upper(), "span_id": SPAN.upper()}, TRACE, SPAN),
        ({"traceparent": f"00-{TRACE}-{SPAN}-01"}, TRACE, SPAN),
        ({"b3": f"{TRACE}-{SPAN}-1"}, TRACE, SPAN),
        ({"X-B3-TraceId": SPAN, "X-B3-SpanId": SPAN}, "0" * 16 + SPAN, SPAN),
        ({"headers": {"traceparent": f"00-{TRACE}-{SPAN}-01"}}, TRACE, SPAN),
        ({"X-Amzn-Trace-Id": f"Root=1-{TRACE[:8]}-{TRACE[8:]}"}, TRACE, ""),
        ({"xrayTraceId": f"1-{TRACE[:8]}-{TRACE[8:]}"}, TRACE, ""),
        ({"X-Cloud-Trace-Context": f"{TRACE}/16;o=1"}, TRACE, "0000000000000010"),
        ({"dd": {"trace_id": "16", "span_id": 17}}, f"{16:032x}", f"{17:016x}"),
        ({"dd.trace_id": TRACE}, TRACE, ""),
        ({"mdc": {"traceId": TRACE, "spanId": SPAN}}, TRACE, SPAN),
        ({"contextMap": {"trace_id": TRACE}}, TRACE, ""),
        ({"context": {"trace_id": TRACE, "span_id": SPAN}}, TRACE, SPAN),
        ({"ctx": {"traceId": TRACE}}, TRACE, ""),
        ({"otelTraceID": TRACE, "otelSpanID": SPAN}, TRACE, SPAN),
        ({"trace": {"id": TRACE}, "span": {"id": SPAN}}, TRACE, SPAN),
        ({"trace": f"projects/p/traces/{TRACE}"}, TRACE, ""),
        ({"trace_id": "", "traceId": TRACE}, TRACE, ""),
        ({"trace_id": "0" * 32, "span_id": "0" * 16}, "", ""),
        ({"trace_id": "order-7"}, "order-7", ""),
    ],
)
@pytest.mark.parametrize("message", ["m", ""])
def test_the_ids_of_an_event_are_found(event: dict[str, object], trace: str, span: str, message: str) -> None:
    row = row_of(json.dumps({"message": message, **event}))

    assert (row["TraceId"], row["SpanId"]) == (trace, span)
