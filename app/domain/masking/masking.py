"""Masks the secrets of rows: in all texts, names and values of attributes, and the bytes that are kept. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.columns import COLUMNS
from app.domain.keys import unused_name
from app.domain.masking.passwords import PASSWORDS
from app.domain.masking.patterns import Pattern, bytes_masked_by, masked_by
from app.domain.masking.rule import MARK, Rule, mark
from app.domain.masking.same_row import SecretsOfRow
from app.domain.masking.secret_names import is_secret_name, may_be_secret
from app.domain.rows import Rows, rows_of_pairs, with_rows_changed

_OF_THE_RECORD: Final = ("_topic", "_topic_id", "_reader")  # not what a sender wrote
TEXTS: Final = tuple(
    column.column
    for column in COLUMNS
    if column.arrow is not None and pa.types.is_string(column.arrow) and column.column not in _OF_THE_RECORD
)
MAPS: Final = tuple(column.column for column in COLUMNS if column.is_map)
BINARY: Final = mark("binary")
"""What stands in place of bytes that are no text: secrets within them cannot be found surely."""

# An id of a trace or a span says nothing, and its digits may be those of a card; masked, it would join no traces.
_IDS: Final = re.compile("(?:[0-9a-f]{32}|[0-9a-f]{16})")
_COLUMNS_OF_IDS: Final = ("TraceId", "SpanId")
_NO_TEXT: Final = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]|\A\x1f\x8b")
_ESCAPED: Final = re.compile(r"\\u00(3[0-9]|4[0-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])", re.IGNORECASE)
_HIDES: Final = r"\x00|\\u00[3-7]"
"""What letters and digits may hide behind: zeros between them, which UTF-16 has, and needless escapes of JSON."""

Pairs = list[tuple[str, str]]


class Masked(NamedTuple):
    """Rows without secrets, and for each row that had any how many of each rule."""

    rows: Rows
    found: Mapping[int, Mapping[str, int]]


class Masking:
    """Masks by rules and patterns. The same rows are always masked alike."""

    def __init__(self, rules: Sequence[Rule], patterns: Sequence[Pattern] = ()) -> None:
        self._rules = rules
        self._patterns = patterns
        self._has_names = PASSWORDS in rules
        screens = [f"(?i:{rule.screen})" for rule in rules]
        self._screens = ["|".join([*screens, _HIDES]), *(pattern.expression for pattern in patterns)]

    def masked(self, rows: Rows) -> Masked:
        """The rows with marks in place of secrets. Rows in which nothing is suspicious are not looked at closely."""
        places = [index for index, hit in enumerate(self._suspicious(rows)) if hit]
        found: dict[int, Counter[str]] = {}
        changed = []
        for place, row in zip(
            places, rows.take(pa.array(places, pa.int64())).to_pylist() if places else (), strict=True
        ):
            counts: Counter[str] = Counter()
            columns = self._of_row(row, counts)
            if counts:
                found[place] = counts
                changed.append(columns)
        return Masked(with_rows_changed(rows, list(found), changed) if found else rows, found)

    def text(self, text: str) -> str:
        """A text with marks in place of secrets."""
        return self._of_texts([text], Counter())[0]

    def _suspicious(self, rows: Rows) -> Sequence[bool]:
        """For each row whether it may hold a secret."""
        hits = pc.not_equal(rows["_raw"], b"")  # few rows have it
        for name in TEXTS:
            found = self._may_match(rows[name])
            if name in _COLUMNS_OF_IDS:
                found = pc.and_not(found, pc.match_substring_regex(rows[name], f"^{_IDS.pattern}$"))
            hits = pc.or_(hits, found)
        suspicious: list[bool] = hits.to_pylist()
        for name in MAPS:
            column = rows[name]
            of_pairs = pc.or_(self._may_match(column.keys), self._may_match(column.items))
            if self._has_names:
                secret = [key for key in pc.unique(column.keys).to_pylist() if is_secret_name(key)]
                if secret:
                    of_pairs = pc.or_(of_pairs, pc.is_in(column.keys, pa.array(secret, pa.string())))
            for row in rows_of_pairs(column, pc.indices_nonzero(of_pairs)):
                suspicious[row] = True
        return suspicious

    def _may_match(self, texts: pa.StringArray) -> pa.BooleanArray:
        found = pc.match_substring_regex(texts, self._screens[0])
        for screen in self._screens[1:]:
            found = pc.or_(found, pc.match_substring_regex(texts, screen))
        return found

    def _of_row(self, row: Mapping[str, object], counts: Counter[str]) -> dict[str, object]:
        """The columns of a row that may hold secrets, masked; counts what was."""
        texts: dict[str, str] = {name: str(row[name]) for name in TEXTS}
        maps: dict[str, Pairs] = {name: list(row[name]) for name in MAPS}  # type: ignore[call-overload]
        secrets = SecretsOfRow(self._secrets(maps, counts))
        for name, text in texts.items():
            if not (name in _COLUMNS_OF_IDS and _IDS.fullmatch(text)):
                [texts[name]] = self._of_texts([secrets.removed(text)], counts)
        for name, pairs in maps.items():
            maps[name] = self._of_pairs(pairs, secrets, counts)
        raw = row["_raw"]
        return {**texts, **maps, "_raw": self._of_bytes(raw, secrets, counts) if isinstance(raw, bytes) else b""}

    def _secrets(self, maps: dict[str, Pairs], counts: Counter[str]) -> Iterable[str]:
        """The values of names of secrets, which are masked; they may stand in other texts of the row too."""
        found: list[str] = []
        for name, pairs in maps.items() if self._has_names else ():
            for index, (key, value) in enumerate(pairs):
                if is_secret_name(key) and may_be_secret(value) and not MARK.fullmatch(value):
                    found.append(value)
                    maps[name][index] = key, mark(PASSWORDS.name)
        counts.update({PASSWORDS.name: len(found)} if found else {})
        return found

    def _of_pairs(self, pairs: Pairs, secrets: SecretsOfRow, counts: Counter[str]) -> Pairs:
        names = self._of_texts([secrets.removed(key) for key, _ in pairs], counts)
        values = self._of_texts([secrets.removed(value) for _, value in pairs], counts)
        found: dict[str, str] = {}
        for name, value in zip(names, values, strict=True):
            found[unused_name(name, found)] = value
        return list(found.items())

    def _of_texts(self, texts: list[str], counts: Counter[str]) -> list[str]:
        if not self._patterns or not texts:
            return [self._by_rules(text, counts) for text in texts]
        texts = [self._without_zeros(text, counts) if "\0" in text else text for text in texts]
        for name, count, after in masked_by(self._patterns, texts):
            counts[name] += count
            texts = after
        return [self._by_rules(text, counts) for text in texts]

    def _without_zeros(self, text: str, counts: Counter[str]) -> str:
        """A text with zeros in it; the mark alone if a pattern finds something between them."""
        for name, count, _ in masked_by(self._patterns, [text.replace("\0", "")]):
            counts[name] += count
            return mark(name)
        return text

    def _by_rules(self, text: str, counts: Counter[str]) -> str:
        shown = _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text) if "\\u00" in text else text
        hidden = shown.replace("\0", "")
        for rule in self._rules:
            after, count = rule.masked(hidden)
            if count:
                counts[rule.name] += count
                if len(hidden) != len(shown):
                    return mark(rule.name)  # between zeros it cannot be told where a secret ends
                text = hidden = shown = after
        return text

    def _of_bytes(self, raw: bytes, secrets: SecretsOfRow, counts: Counter[str]) -> bytes:
        if not raw or raw == BINARY.encode():
            return raw
        if _NO_TEXT.search(raw):
            counts["binary"] += 1
            return BINARY.encode()
        for name, count, after in bytes_masked_by(self._patterns, raw):
            counts[name] += count
            raw = after
        text = secrets.removed(raw.decode(errors="surrogateescape"))
        return self._by_rules(text, counts).encode(errors="surrogateescape")
