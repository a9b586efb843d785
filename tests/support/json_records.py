"""Random records for readers to agree on: JSON events in every spelling, with usual, odd and hostile values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Final

from msgspec.structs import replace

from app.domain.columns import ALIASES, SENT
from app.domain.records import RecordChunk
from tests.support.sample_rows import sample_chunk

_RECORD_MS: Final = 1_795_435_200_000  # 2026-11-23T12:00:00Z, near to which most events are

_KEYS: Final = (
    *SENT,
    *ALIASES,
    *("attributes", "attributes.x", "x", "x_2", "k", "k", "http.route", "status", "path", "", "ä", "a b", "k\n"),
    *("date", "created_at", "logTime", "v", "pid", "version", "error", "err.msg", "stream", "source", "levelname"),
    *("traceparent", "dd.trace_id", "severity_number", "channel", "updated_at", "fields", "time", "msg", "level"),
)
_INNER_KEYS: Final = ("k", "x", "route", "id", "", "name", "traceId", "level", "message", "k.l", "status", "method")
_TEXTS: Final = (
    *(
        "",
        " ",
        "\x1c",
        "\u2003",
        "\u200b",
        "x",
        "card declined",
        "a/b",
        "/",
        "ünïcode 日志 🥐",
        'a"b\\c\n\t',
        "\x7f",
        "\0",
    ),
    *("INFO", "error", "Warn", "ошибка", "30", " 4 ", "[error]", "ERROR+4", "x" * 13, "İ", "4.0", "null", "true"),
    *("2026-11-23T12:00:00Z", "2026-11-23T12:00:00.123456789+01:00", "2026-11-23 12:00:00.5-03:30", "2026-11-23"),
    *("2026-02-29T12:00:00Z", "2028-02-29T23:59:59.999Z", "2026-11-23T12:00:60Z", "2026-11-23T24:00:00Z", "12:00:00"),
    *("2026-11-23T12:00:00", "2026-11-23T12:00:00.1234567890Z", "2026-11-23T12:00:00+1:00", "1795435200", "23/11/2026"),
    *("2026-11-23T12:00:00+14:59", "2026-11-23T12:00:00-00:00", "2026-11-23t12:00:00z", "1969-12-31T23:59:59Z"),
    *("4bf92f3577b34da6a3ce929d0e0e4736", "4BF92F3577B34DA6A3CE929D0E0E4736", "00f067aa0ba902b7", "0" * 32, "0" * 16),
    *(
        "p/4bf92f3577b34da6a3ce929d0e0e4736",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "log.receiver.x",
    ),
)
_NUMBERS: Final = (
    *("0", "-0", "7", "-7", "200", "0.0", "-0.0", "1.5", "1.50", "12.0", "1e3", "1E+3", "1e-3", "0.0001", "0.00001"),
    *(
        "1e14",
        "1e15",
        "1e16",
        "1e22",
        "1e39",
        "1e308",
        "1e400",
        "-1e400",
        "1e-400",
        "5e-324",
        "0.1",
        "0.30000000000000004",
    ),
    *("9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615"),
    *("18446744073709551616", "-9223372036854775808", "-9223372036854775809", "123456789012345678901234567890"),
    *("1795435200", "1795435200123", "1795435200123456", "1795435200123456789", "1795435200.123456", "1795435200.5"),
    *(
        "20261123120000",
        "20261123120000123",
        "17954352001234567890",
        "-1795435200",
        "01",
        "1.",
        ".5",
        "+1",
        "0x1",
        "NaN",
    ),
)
_WORDS: Final = (
    "null",
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[1,2.5]",
    '[ "a", null , true ]',
    '["\\u00e9\\n"]',
    '["ü"]',
)
_ODD_LISTS: Final = (
    '[{"a":1}]',
    "[[1,[2]],[]]",
    "[" * 20 + "]" * 20,
    "[1e400]",
    "[-0]",
    "[0.0]",
    '["\x7f"]',
    '[{"a":1,"a":2}]',
)


_USUAL_KEYS: Final = (
    *("timestamp", "level", "service", "user_id", "response_time_ms", "trace_id", "span_id", "host", "attributes"),
    *("ts", "severity", "userId", "duration_ms", "hostname", "pid", "http.route", "tenant", "x", "k", "created_at"),
)


def chunk_of(values: Sequence[bytes | None]) -> RecordChunk:
    """A chunk of records at the time of most events."""
    return replace(sample_chunk(values), timestamps_ms=[_RECORD_MS] * len(values))


def record(rng: Random) -> bytes:
    """A record, which is nearly always the JSON of an object; most have little that is odd."""
    writer = _Writer(rng, oddity=rng.choice((0, 0, 0.02, 0.1, 0.5)))
    text = writer.event().encode("utf-8", "surrogatepass")
    if rng.random() > writer.oddity / 4:
        return text
    if rng.random() < 0.5:  # cut off, or with a byte too much
        place = rng.randrange(len(text))
        between = rng.choice((b"", b"\xff", b"\x00", b"}", b'"', b"\xc3", b"\\"))
        return text[:place] + between + text[place + rng.randrange(3) :]
    return rng.choice((b"", b"line", b"[1]", b"\xef\xbb\xbf" + text, text + b"\n", b" " + text, text + text, b"null"))


class _Writer:
    """Writes the JSON of one event, with a share of what is odd."""

    def __init__(self, rng: Random, oddity: float) -> None:
        self.oddity = oddity
        self._rng = rng

    def event(self) -> str:
        keys = [self._key(_USUAL_KEYS, _KEYS) for _ in range(self._rng.choice((0, 1, 2, 3, 3, 4, 5, 8)))]
        if not self._is_odd():
            keys = list(dict.fromkeys(keys))
        members = [(key, self._of_key(key)) for key in keys]
        if not self._is_odd():
            message = self._text() if self._is_odd() else json.dumps(self._rng.choice(_TEXTS[6:9]))
            members.insert(
                self._rng.randrange(len(members) + 1), (self._key(("message", "message", "msg"), _KEYS), message)
            )
        return self._object(members)

    def _is_odd(self) -> bool:
        return self._rng.random() < self.oddity

    def _key(self, usual: tuple[str, ...], all_keys: tuple[str, ...]) -> str:
        return self._rng.choice(all_keys if self._is_odd() else usual)

    def _object(self, members: list[tuple[str, str]]) -> str:
        blank = self._rng.choice(("", "", "", " ", "\n\t"))
        written = [f"{self._written(key)}{blank}:{blank}{value}" for key, value in members]
        return "{" + blank + f"{blank},{blank}".join(written) + blank + "}"

    def _written(self, key: str) -> str:
        if self._is_odd() and self._is_odd():
            return "".join(('"', *(f"\\u{ord(letter):04x}" for letter in key), '"'))
        return json.dumps(key)

    def _of_key(self, key: str) -> str:
        if self._is_odd():
            return self._value(depth=2)
        rng = self._rng
        match key:
            case "timestamp" | "ts" | "created_at":
                return rng.choice(("null", json.dumps(rng.choice(_TIMES)), f"{1795435200 + rng.randrange(99)}"))
            case "level" | "severity":
                return rng.choice(('"INFO"', '"error"', '"Warn"', "30", "4", '"notice"'))
            case "trace_id":
                return json.dumps(f"{rng.randrange(16**32):032x}")
            case "response_time_ms" | "duration_ms":
                short = f"{rng.uniform(0, 1e6):.{rng.randrange(1, 12)}f}"
                return rng.choice((f"{rng.uniform(0, 1e4)}", short, f"{rng.randrange(10**6)}", "null", "1e3", "0.10"))
            case "attributes" if rng.random() < 0.8:
                keys = rng.sample(("route", "id", "cart", "zone", "k"), rng.randrange(1, 4))
                return self._object([(inner, self._plain()) for inner in keys])
            case _:
                return self._plain()

    def _plain(self) -> str:
        """A text, a number or another value that is no object."""
        rng = self._rng
        short = f"{rng.uniform(-1e6, 1e6):.{rng.randrange(1, 12)}f}"
        numbers = (f"{rng.uniform(-1e4, 1e4)}", short, f"{rng.randrange(10**6)}", "0", "1.50", "9007199254740993")
        return rng.choice(
            (json.dumps(rng.choice(_PLAIN_TEXTS)), rng.choice(numbers), rng.choice(_WORDS[:4]), "[1,2.5]")
        )

    def _value(self, depth: int) -> str:
        rng, kind = self._rng, self._rng.random()
        if kind < 0.45:
            return self._text()
        if kind < 0.7:
            return rng.choice(_NUMBERS)
        if kind < 0.75:
            return str(rng.choice((rng.random(), rng.uniform(-1e17, 1e17), rng.uniform(-1e-4, 1e-4))))
        if kind < 0.87:
            return rng.choice(_WORDS)
        if kind < 0.9:
            return rng.choice(_ODD_LISTS)
        keys = [rng.choice(_INNER_KEYS) for _ in range(rng.randrange(4))]
        return self._object([(key, self._value(depth - 1)) for key in keys]) if depth else "1"

    def _text(self) -> str:
        rng = self._rng
        text = rng.choice(_TEXTS) if rng.random() < 0.9 else chr(rng.randrange(0x250)) * rng.randrange(4)
        return rng.choice(_ODD_TEXTS) if rng.random() < 0.03 else json.dumps(text, ensure_ascii=rng.random() < 0.3)


_TIMES: Final = (
    *("2026-11-23T12:00:00Z", "2026-11-23T12:00:00.123456789+01:00", "2026-11-23 12:00:00.5-03:30"),
    *("2026-11-24T00:00:00.123Z", "2026-11-01T12:00:00.000001Z", "2026-12-01T00:00:00Z", "2026-10-01T00:00:00Z"),
)
_PLAIN_TEXTS: Final = ("", " ", "x", "GET /pay", "ünïcode 日志 🥐", 'a"b\\c\n\t', "4bf92f3577b34da6a3ce929d0e0e4736")
_ODD_TEXTS: Final = ('"\\ud800"', '"\\ud83e\\udd50"', '"\\udc00\\ud800"', '"\\/"', '"\\x"', '"\x01"', '"\\u00"')
