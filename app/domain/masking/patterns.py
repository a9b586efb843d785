"""Patterns of secrets that an operator gives. They are RE2's, whose time grows with the text and not faster. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.masking.rule import mark

MAX_PATTERNS: Final = 50
MAX_CHARS: Final = 1000
"""Of one pattern."""

_LINE: Final = re.compile(r"(?P<name>[a-z][a-z0-9_]{0,31})[ \t]+(?P<expression>\S.*)")


class Pattern(NamedTuple):
    """A regular expression of RE2, and the name of what it finds."""

    name: str
    expression: str


def parse_mask_patterns(text: str, names_taken: Sequence[str] = ()) -> tuple[Pattern, ...]:
    """The patterns of a setting: one a line, its name and a blank in front; empty lines and those with # are left out.

    Raises:
        ValueError: a line is none; the message names the line and the reason, and not the pattern.
    """
    found: list[Pattern] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                found.append(_parsed(line.strip(), [*names_taken, *(pattern.name for pattern in found)]))
            except ValueError as error:
                raise ValueError(f"line {number} {error}") from None
    if len(found) > MAX_PATTERNS:
        raise ValueError(f"must be at most {MAX_PATTERNS} patterns, there are {len(found)}")
    return tuple(found)


def _parsed(line: str, taken: Sequence[str]) -> Pattern:
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise ValueError("must be a name of small letters, digits and _, a blank, and a regular expression")
    name, expression = parts["name"], parts["expression"]
    if name in taken:
        raise ValueError(f"has the name {name}, which is taken")
    if len(expression) > MAX_CHARS:
        raise ValueError(f"has a regular expression of {len(expression):,} characters; {MAX_CHARS:,} are allowed")
    try:
        [matches_nothing] = pc.match_substring_regex(pa.array([""]), expression).to_pylist()
    except pa.ArrowInvalid as error:
        reason = str(error).partition(": ")[2]
        raise ValueError(f"is no regular expression that RE2 understands ({reason})") from None
    if matches_nothing:
        raise ValueError("has a regular expression that matches an empty text, so it would match everywhere")
    return Pattern(name, expression)


def masked_by(patterns: Sequence[Pattern], texts: list[str]) -> Iterator[tuple[str, int, list[str]]]:
    """For each pattern that finds something: its name, how often, and all texts with its marks and those before."""
    array = pa.array(texts, pa.string())
    for name, expression in patterns:
        count = pc.sum(pc.count_substring_regex(array, expression)).as_py() or 0
        if count:
            array = pc.replace_substring_regex(array, expression, mark(name))
            yield name, count, array.to_pylist()


def bytes_masked_by(patterns: Sequence[Pattern], value: bytes) -> Iterator[tuple[str, int, bytes]]:
    """The same of bytes, which are searched as UTF-8 and as Latin-1."""
    for name, expression in patterns:
        array = pa.array([value], pa.binary())
        [count] = pc.count_substring_regex(array, expression).to_pylist()
        if count:
            [value] = pc.replace_substring_regex(array, expression, mark(name)).to_pylist()
        for _, more, [text] in masked_by([Pattern(name, expression)], [value.decode("latin-1")]):
            count += more
            value = text.encode("latin-1")
        if count:
            yield name, count, value
