"""Ids of traces and spans in the spelling of OpenTelemetry: 32 and 16 lower-case hexadecimal digits. Pure."""

import re
from typing import Final

_TRACE_DIGITS: Final = 32
_SPAN_DIGITS: Final = 16
_LONGEST_CONTEXT: Final = 1000
_LONGEST: Final = 80  # characters; a longer text is no id

_HEX: Final = re.compile(r"[0-9a-f]+")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_B3: Final = re.compile(r"([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})(?:-[01d](?:-[0-9a-f]{16})?)?")
_XRAY: Final = re.compile(r"(?:.*;)?\s*(?:root=)?1-([0-9a-f]{8})-([0-9a-f]{24})\s*(?:;.*)?")
_XRAY_PARENT: Final = re.compile(r"(?:.*;)?\s*parent=([0-9a-f]{16})\s*(?:;.*)?")
_JAEGER: Final = re.compile(r"([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:[0-9a-f]{1,2}")
_CLOUD_TRACE: Final = re.compile(r"(?:projects/[^/]+/traces/)?([0-9a-f]{32})(?:/(\d{1,20})?(?:;.*)?)?")
_DECIMAL: Final = re.compile(r"\d{1,20}")


def trace_id_of(text: str) -> str:
    """A trace id in the usual spelling; "" if it is all zeros; a text that holds none as it was sent."""
    found = _of_digits(text, _TRACE_DIGITS)
    return context_of(text)[0] or text if found == text and ("-" in text or "/" in text) else found


def span_id_of(text: str) -> str:
    """A span id in the usual spelling; "" if it is all zeros; a text that is no id as it was sent."""
    return _of_digits(text, _SPAN_DIGITS)


def _of_digits(text: str, wanted: int) -> str:
    if len(text) > _LONGEST:
        return text
    digits = text.replace("-", "").replace(" ", "").strip().lower().removeprefix("0x")
    if len(digits) not in (wanted, _SPAN_DIGITS) or not _HEX.fullmatch(digits):
        return text
    return digits.rjust(wanted, "0") if digits.strip("0") else ""


def context_of(text: str) -> tuple[str, str]:
    """The ids of trace and span in a header of W3C, B3, X-Ray, Jaeger or Cloud Trace; "" for what it does not hold."""
    text = text[:_LONGEST_CONTEXT].strip().lower()
    if found := _TRACEPARENT.fullmatch(text) or _B3.fullmatch(text):
        return trace_id_of(found[1]), span_id_of(found[2])
    if found := _JAEGER.fullmatch(text):  # without zeros in front
        return trace_id_of(found[1].rjust(_TRACE_DIGITS, "0")), span_id_of(found[2].rjust(_SPAN_DIGITS, "0"))
    if found := _XRAY.fullmatch(text):
        parent = _XRAY_PARENT.fullmatch(text)
        return trace_id_of(found[1] + found[2]), span_id_of(parent[1]) if parent else ""
    if found := _CLOUD_TRACE.fullmatch(text):
        return trace_id_of(found[1]), decimal_span_id(found[2] or "")
    return "", ""


def decimal_trace_id(text: str) -> str:
    """The trace id of Datadog's decimal number of 64 bits, or of its 128 bits in hexadecimal digits."""
    return _of_decimal(text, _TRACE_DIGITS)


def decimal_span_id(text: str) -> str:
    """The span id of a decimal number of 64 bits."""
    return _of_decimal(text, _SPAN_DIGITS)


def _of_decimal(text: str, wanted: int) -> str:
    text = text.strip()
    if not _DECIMAL.fullmatch(text):
        return _of_digits(text, wanted)
    number = int(text)
    return f"{number:0{wanted}x}" if 0 < number < 2**64 else ("" if not number else text)
