"""Queries and logs for property tests: made of the same few odd pieces, so that queries match logs."""

import random
import struct
from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st

from app.domain.columns import Kind
from app.domain.severity import SEVERITY_NUMBER, severity_of
from app.query.fields import FIELDS, Attribute, AttributeSource, Field, Named, named
from app.query.tree import (
    Bound,
    Equals,
    Everything,
    Exists,
    Node,
    Range,
    StartsWith,
    Words,
    all_of,
    any_of,
    negation,
)
from app.query.values import LEVELS, level_of
from app.query.words import lowered

TIME_NS: Final = 1_700_000_000_000_000_000
DAY_NS: Final = 24 * 3600 * 10**9

WORDS: Final = (
    *("timeout", "TIMEOUT", "timeou", "Timed", "out", "card", "declined", "payment-service", "payment_service"),
    *("10.0.0.1", "4bf92f35-77b3", "/api/v1/pay?id=1", "a", "b", "ab", "AND", "OR", "NOT", "TO", "and"),
    *(
        "Ärger",
        "ärger",
        "İstanbul",
        "istanbul",
        "ß",
        "ss",
        "SS",
        "e\u0301",
        "é",
        "😀",
        "日本",
        "日",
        "٣",
        "\u212a",
        "\u0130",
    ),
    *(
        "100%",
        "%",
        "_",
        "a_b",
        "\\",
        "\\\\",
        "'",
        '"',
        "`",
        "''",
        "\\'",
        "*",
        "**",
        "?",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
    ),
    *("\0", "a\0b", "\t", "\n", "a\r\nb", "\u00a0", "\u3000", "\ufeff", "=>", "--", "/*", ";", "$", "^", "|", "+", "."),
    *(
        "错误",
        "数据库连接失败",
        "错误code42",
        "データベース",
        "エラー",
        "接続できません",
        "ไม่สามารถเชื่อมต่อ",
        "เชื่อมต่อ",
        "서버가",
        "서버",
        "ล้มเหลว",
    ),
    *(
        "ошибка",
        "Ошибка",
        "ΣΦΆΛΜΑΣ",
        "σφάλμα",
        "خطأ",
        "می\u200cخواهم",
        "שגיאה",
        "त्रुटि",
        "１２３",
        "ＥＲＲＯＲ",
        "々",
        "ⅷ",
        "²",
    ),
    *(
        "—",
        "…",
        "“refused”",
        "✓",
        "✓\ufe0f",
        "👨\u200d👩\u200d👧",
        "👍🏽",
        "→",
        "refused—timeout",
        "don’t",
        "«a»",
        "\ue0b0",
    ),
    *(
        "\u200b",
        "\u200d",
        "\u2028",
        "\x85",
        "\u202f",
        "time\u200bout",
        "time\u00adout",
        "card\u00a0declined",
        "refused",
    ),
    *("\x1b[31mrefused\x1b[0m", "\x1b[1;31m", "\x1b[m", "\x1b[0m", "\x1b(B", "\x1b[", "\x1b", "\x9b32m", "31mrefused"),
    *("{query_0:String}", "') OR 1 = 1 --", "\\x41", "\\d", "x" * 300, "\\N", "NULL", "\b\f\v\x1b\x7f"),
)
NUMBERS: Final = (
    *("0", "-0", "5", " 5", "5 ", "+5", "5.", ".5", "05", "500", "503", "599.5", "1e3", "1E3", "1e", "0x10", "1_000"),
    *("1,000", "٣", "NaN", "nan", "inf", "-inf", "Infinity", "1e400", "-1e400", "0.1", "0.30000000000000004", "1e-400"),
    *("123456789012345678901234567890", "16777217", "5\0", "", "1.5.2", "--5", "1d"),
)
KEYS: Final = (
    "http.status_code",
    "host.name",
    "k",
    "two words",
    "ключ",
    "it's",
    "a:b",
    "a\\b",
    'a"b',
    "*",
    "AND",
    "\0",
    "%",
)
_SEPARATORS: Final = ("", "", " ", " ", " ", "-", ",", "_", "\0", "\n", "ä", "\u200b", "\x1b[0m", "。", "\u00a0")


# Logs.


def rows(count: int, seed: int) -> list[dict[str, Any]]:
    """`count` rows; the offset of each is its index."""
    rng = random.Random(seed)
    return [{**_row(rng), "_offset": offset} for offset in range(count)]


def _row(rng: random.Random) -> dict[str, Any]:
    level = rng.choice(["", "Audit", "ÄRGER", rng.choice(WORDS), *LEVELS])
    severity = severity_of(level)
    return {
        "Timestamp": TIME_NS + rng.randrange(3) * DAY_NS + rng.randrange(3),
        "TraceId": _text(rng),
        "SpanId": _text(rng),
        "SeverityText": severity or level,
        "SeverityNumber": SEVERITY_NUMBER.get(severity, 0),
        "ServiceName": _text(rng),
        "Body": _body(rng),
        "ResourceAttributes": _attributes(rng),
        "LogAttributes": _attributes(rng),
        "UserId": _text(rng),
        "ResponseTimeMs": rng.choice([None, None, 0.0, _float32(0.1), 5.0, 500.0, 16777216.0, -1.5]),
        "_topic": "logs",
        "_topic_id": rng.choice(["topic-1", "topic-2"]),
        "_partition": rng.randrange(3),
        "_item": 0,
        "_items": 1,
        "_reader": "0123abcd",
        "ParseError": rng.choice(["", "", "json: not valid"]),
        "_raw": "",
    }


def _text(rng: random.Random) -> str:
    return rng.choice(["", rng.choice(WORDS), rng.choice(NUMBERS), _body(rng)])


def _body(rng: random.Random) -> str:
    pieces = rng.choices(WORDS + NUMBERS, k=rng.randrange(7))
    return "".join(piece + rng.choice(_SEPARATORS) for piece in pieces)


def _attributes(rng: random.Random) -> dict[str, str]:
    return {key: _text(rng) for key in rng.sample(KEYS, rng.randrange(len(KEYS)))}


def _float32(number: float) -> float:
    return float(struct.unpack("f", struct.pack("f", number))[0])


# Queries.


def texts() -> st.SearchStrategy[str]:
    """Text that is not empty: a piece of the logs, or anything."""
    return st.one_of(st.sampled_from(_PIECES), _SLICES, st.text(max_size=5)).filter(bool)


def _slices() -> st.SearchStrategy[str]:
    """Beginnings, ends and middles of messages, cut anywhere."""
    rng = random.Random(0)
    bodies = [row["Body"] for row in rows(400, seed=0)]  # the first rows of a table made with this seed
    ends = [sorted(rng.choices(range(len(body) + 1), k=2)) for body in bodies]
    return st.sampled_from(
        [body[start:end] for body, (start, end) in zip(bodies, ends, strict=True) if end - start < 40]
    )


def trees(fields: Sequence[Field] = FIELDS) -> st.SearchStrategy[Node]:
    """Any tree that a query can have."""
    return st.recursive(
        leaves(fields),
        lambda parts: st.one_of(
            st.lists(parts, min_size=2, max_size=3).map(all_of),
            st.lists(parts, min_size=2, max_size=3).map(any_of),
            parts.map(negation),
        ),
        max_leaves=6,
    )


def leaves(fields: Sequence[Field] = FIELDS) -> st.SearchStrategy[Node]:
    """Any single term."""
    of_each_kind = [[field for field in fields if field.kind is kind] for kind in Kind]
    return st.one_of(
        st.builds(Words, texts(), st.booleans()),
        *map(terms_about, of_each_kind),
        attribute_terms(),
        st.just(Everything()),
    )


def attribute_terms() -> st.SearchStrategy[Node]:
    """Any term about an attribute."""
    keys = st.one_of(st.sampled_from(KEYS), st.sampled_from(KEYS), texts())
    attributes = st.builds(Attribute, keys, st.sampled_from(AttributeSource))
    return attributes.filter(lambda attribute: named(attribute.name) == attribute).flatmap(_about)


def terms_about(fields: Sequence[Field]) -> st.SearchStrategy[Node]:
    """Any term about one of them."""
    return st.sampled_from(fields).flatmap(_about)


def _about(field: Named) -> st.SearchStrategy[Node]:
    exists = st.just(Exists(field))
    match field.kind:
        case Kind.WORDS:
            return exists
        case Kind.TEXT:
            numbers = st.one_of(
                st.sampled_from([0.0, 0.1, 5.0, 500.0, 1000.0]), st.floats(allow_nan=False, allow_infinity=False)
            )
            return st.one_of(_equals(field, texts()), _starts(field, texts()), exists, _ranges(field, numbers))
        case Kind.LEVEL:
            words = st.one_of(st.sampled_from(LEVELS), texts()).map(level_of)
            names = st.sampled_from([name for name in SEVERITY_NUMBER if name])
            return st.one_of(_equals(field, words), _starts(field, texts().map(lowered)), exists, _ranges(field, names))
        case Kind.NUMBER:
            floats = st.one_of(
                st.sampled_from([0.0, _float32(0.1), 5.0, 500.0]),
                st.floats(width=32, allow_nan=False, allow_infinity=False),
            )
            return st.one_of(_equals(field, floats), exists, _ranges(field, floats))
        case Kind.WHOLE:
            whole = st.one_of(st.integers(0, 30), st.integers(0, 2**64 - 1))
            return st.one_of(_equals(field, whole), exists, _ranges(field, whole))
        case Kind.TIME:
            times = st.one_of(st.integers(-2, 5).map(lambda ns: TIME_NS + ns), st.integers(0, 3 * TIME_NS))
            return st.one_of(exists, _ranges(field, times))


def _equals(field: Named, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Node]:
    return values.map(lambda value: Equals(field, value))


def _starts(field: Named, values: st.SearchStrategy[str]) -> st.SearchStrategy[Node]:
    return values.map(lambda text: StartsWith(field, text))


def _ranges(field: Named, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Node]:
    bounds = st.none() | st.builds(Bound, values, st.booleans())
    ends = st.tuples(bounds, bounds).filter(any)
    return ends.map(lambda ends: Range(field, *ends))


_PIECES: Final = WORDS + NUMBERS
_SLICES: Final = st.deferred(_slices)
