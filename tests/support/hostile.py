"""Hostile records: structures that make careless readers fail, or take quadratic time. Each grows to any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

Hostile = Callable[[int], bytes]
"""The record of about so many bytes."""


def _repeated(unit: bytes, before: bytes = b"", after: bytes = b"") -> Hostile:
    return lambda size: before + unit * max(1, (size - len(before) - len(after)) // len(unit)) + after


def _nested(opening: bytes, closing: bytes, inner: bytes = b"") -> Hostile:
    def record(size: int) -> bytes:
        depth = max(1, (size - len(inner)) // (len(opening) + len(closing)))
        return opening * depth + inner + closing * depth

    return record


def _counted(unit: Callable[[int], bytes], before: bytes, joint: bytes, after: bytes) -> Hostile:
    def record(size: int) -> bytes:
        count = max(1, size // (len(unit(size)) + len(joint)))
        return before + joint.join(map(unit, range(count))) + after

    return record


def _wrapped(opening: bytes, size: int) -> bytes:
    """A line in many carriers of JSON strings, each escaped once more."""
    text = b"2026-11-29 10:15:01 ERROR x"
    while len(text) < size:
        text = opening + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"}'
    return text


HOSTILE: Final[Mapping[str, Hostile]] = {
    "letters": _repeated(b"a"),
    "digits": _repeated(b"1"),
    "blanks": _repeated(b" "),
    "blanks and a letter": _repeated(b" ", after=b"x"),
    "newlines": _repeated(b"\n"),
    "zeros": _repeated(b"\0"),
    "not UTF-8": _repeated(b"\xff"),
    "half of a character": _repeated(b"\xe6\x97"),
    "Chinese": _repeated("日志".encode()),
    "emoji": _repeated("🥐".encode()),
    "dotless i": _repeated("İ".encode()),
    "colons": _repeated(b":"),
    "colons and digits": _repeated(b"10:15:"),
    "times": _repeated(b"10:15:01 "),
    "dates": _repeated(b"2026-11-29 "),
    "dates and times": _repeated(b"2026-11-29T10:15:01Z "),
    "epochs": _repeated(b"1795947301 "),
    "day or month": _repeated(b"03/04/"),
    "months": _repeated(b"Nov "),
    "zones": _repeated(b"CET ", before=b"2026-11-29 10:15:01 "),
    "a long fraction": _repeated(b"1", before=b"2026-11-29 10:15:01."),
    "a long offset": _repeated(b"1", before=b"2026-11-29 10:15:01 +"),
    "levels": _repeated(b"ERROR "),
    "levels in brackets": _repeated(b"[ERROR]"),
    "levels and colons": _repeated(b"ERROR: "),
    "levels behind a time": _repeated(b"INFO ", before=b"2026-11-29 10:15:01 "),
    "brackets": _repeated(b"["),
    "brackets that close": _nested(b"[", b"]"),
    "brackets behind a time": _repeated(b"[a] ", before=b"2026-11-29 10:15:01 "),
    "parentheses": _repeated(b"("),
    "angles": _repeated(b"<"),
    "priorities": _repeated(b"<134>"),
    "bars": _repeated(b"web-1  | "),
    "names and bars": _repeated(b"a |"),
    "quotes": _repeated(b'"'),
    "an open quote": _repeated(b"a", before=b'msg="'),
    "escaped quotes": _repeated(b'\\"', before=b'msg="'),
    "backslashes": _repeated(b"\\"),
    "pairs": _repeated(b"a=1 "),
    "open pairs": _repeated(b"a="),
    "equal signs": _repeated(b"="),
    "pairs of levels": _repeated(b"level=x "),
    "dashes": _repeated(b"-"),
    "dots": _repeated(b"a."),
    "double colons": _repeated(b"a::"),
    "slashes": _repeated(b"a/"),
    "escape codes": _repeated(b"\x1b[31m"),
    "open escape codes": _repeated(b"\x1b["),
    "syslog in syslog": _repeated(b"<34>Nov 29 10:15:01 kiln app: "),
    "RFC 5424": _repeated(b'[a b="c"]', before=b"<34>1 2026-11-29T10:15:01Z kiln app 7 - "),
    "open structured data": _repeated(b'\\"', before=b'<34>1 2026-11-29T10:15:01Z kiln app 7 - [a b="'),
    "CRI in CRI": _repeated(b"2026-11-29T10:15:01.1Z stdout F "),
    "kubectl in kubectl": _repeated(b"[pod/a/b] "),
    "stern": _repeated(b"a-b-c-d1 "),
    "CEE": _repeated(b"@cee: "),
    "CEF": _repeated(b"|", before=b"CEF:0"),
    "CEF pairs": _repeated(b"a=\\=b ", before=b"CEF:0|a|b|c|d|e|5|"),
    "access log": _repeated(b'"', before=b'192.0.2.1 - - [29/Nov/2026:10:15:01 +0000] "GET / HTTP/1.1" 200 5 '),
    "an open request": _repeated(b"a", before=b'192.0.2.1 - - [29/Nov/2026:10:15:01 +0000] "GET /'),
    "braces": _repeated(b"{"),
    "braces that close": _nested(b"{", b"}"),
    "braces and letters": _repeated(b"{a"),
    "JSON, nested": _nested(b'{"a":', b"}", b"1"),
    "JSON, nested lists": _nested(b'{"a":[', b"]}", b"1"),
    "JSON, list in list": lambda size: b'{"message":' + _nested(b"[", b"]")(size) + b"}",
    "JSON, open": _repeated(b'{"a":'),
    "JSON, many keys": _counted(lambda n: b'"k%d":%d' % (n, n), b"{", b",", b"}"),
    "JSON, many keys and a message": _counted(lambda n: b'"k%d":%d' % (n, n), b'{"message":"m",', b",", b"}"),
    "JSON, many objects": _counted(lambda n: b'"k%d":{"a":%d}' % (n, n), b"{", b",", b"}"),
    "JSON, many keys in an object": _counted(lambda n: b'"k%d":%d' % (n, n), b'{"message":"m","a":{', b",", b"}}"),
    "JSON, one key": _counted(lambda n: b'"a":%d' % n, b"{", b",", b"}"),
    "JSON, keys that collide": _counted(
        lambda n: b'"a":{"b":%d},"a.b":%d,"attributes.a.b":%d' % (n, n, n), b"{", b",", b"}"
    ),
    "JSON, spellings of a key": _counted(lambda n: b'"MSG' + b"_" * (n % 50) + b'%d":1' % n, b"{", b",", b"}"),
    "JSON, deep keys": _counted(lambda n: b'"k%d":{"a":{"b":{"c":{"d":%d}}}}' % (n, n), b"{", b",", b"}"),
    "JSON, dotted keys": lambda size: b'{"' + b"a." * (size // 2) + b'":1}',
    "JSON, a list of numbers": _counted(lambda n: b"1", b'{"message":[', b",", b"]}"),
    "JSON, a long number": _repeated(b"1", b'{"message":', b"}"),
    "JSON, escapes": _repeated(b"\\u00e9", b'{"message":"', b'"}'),
    "JSON, lone surrogates": _repeated(b"\\ud800", b'{"message":"', b'"}'),
    "JSON, NaN": _repeated(b"NaN,", b'{"a":[', b"1]}"),
    "JSON, not UTF-8": _repeated(b"\xff", b'{"message":"', b'"}'),
    "JSON, backslashes": _repeated(b"\\", b"{"),
    "JSON, a template": _repeated(b"{a}", b'{"@mt":"', b'","a":1}'),
    "JSON, a template of what is not there": _repeated(b"{b", b'{"@mt":"', b'","a":1}'),
    "JSON, a template of parts": lambda size: (
        b'{"@mt":"' + b"{a}" * (size // 6) + b'",' + b",".join(b'"a.k%d":1' % n for n in range(size // 20)) + b"}"
    ),
    "JSON, an array of objects": _counted(lambda n: b"{}", b"[", b",", b"]"),
    "JSON, an array of arrays": _counted(lambda n: b"[]", b"[", b",", b"]"),
    "JSON, an array that is open": _counted(lambda n: b"{}", b"[", b",", b""),
    "JSON, a string": _repeated(b"a", b'"', b'"'),
    "JSON, a string of quotes": _repeated(b'\\"', b'"', b'"'),
    "JSON lines": _repeated(b"{}\n"),
    "JSON lines that end": _repeated(b"{}\n", after=b"{"),
    "JSON lines of nothing": _repeated(b"{x}\n"),
    "JSON behind JSON": _repeated(b"{}"),
    "strings in objects": lambda size: _wrapped(b'{"stream":"stdout","log":"', size),
    "CloudWatch": _counted(
        lambda n: b'{"id":"1","timestamp":1,"message":"m"}',
        b'{"logGroup":"g","logStream":"s","messageType":"DATA_MESSAGE","logEvents":[',
        b",",
        b"]}",
    ),
    "records": _counted(lambda n: b'{"time":1}', b'{"records":[', b",", b"]}"),
    "Loki": _counted(
        lambda n: b'["1795947301000000000","x"]', b'{"streams":[{"stream":{"app":"a"},"values":[', b",", b"]}]}"
    ),
    "OTLP": _counted(
        lambda n: b'{"body":{"stringValue":"x"}}',
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[',
        b",",
        b"]}]}]}",
    ),
    "OTLP, nested values": lambda size: (
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":'
        + _nested(b'{"arrayValue":{"values":[', b"]}}", b'{"stringValue":"x"}')(size)
        + b"}]}]}]}"
    ),
    "journald": _counted(lambda n: b"65", b'{"__REALTIME_TIMESTAMP":"1795947301000000","MESSAGE":[', b",", b"]}"),
    "gzip of zeros": lambda size: b"\x1f\x8b" + b"\0" * size,
    "protobuf": _repeated(b"\x0a\x02\x12\x00"),
    "protobuf, nested": _repeated(b"\n"),
    "schema registry": _repeated(b"{", before=b"\0\0\0\0\1"),
}
"""By name."""
