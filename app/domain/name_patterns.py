"""Names with wildcards, as settings hold them: `tokyo-*`. Pure."""

import re
from collections.abc import Iterable
from fnmatch import translate
from typing import Final

LONGEST_NAME: Final = 255  # characters; a longer one is the name of no host, service or header

_NAME: Final = re.compile(rf"[^\s,=\[\]]{{1,{LONGEST_NAME}}}")


def is_pattern(text: str) -> bool:
    """Whether a text may be a name with wildcards: no blanks, commas, brackets or equals signs."""
    return _NAME.fullmatch(text) is not None


def matcher(patterns: Iterable[str]) -> re.Pattern[str] | None:
    """An expression that matches the names of any of these patterns in any case; None if there are no patterns.

    `*` stands for any characters, also none, and `?` for one.
    """
    alternatives = "|".join(translate(pattern) for pattern in patterns)
    return re.compile(alternatives, re.IGNORECASE) if alternatives else None


def parse_patterns(text: str) -> tuple[str, ...]:
    """The names of a setting, comma-separated, in lower case; they may hold wildcards.

    Raises:
        ValueError: one of them is none; the message says which, and what is allowed.
    """
    names = tuple(part.strip().lower() for part in text.split(",")) if text.strip() else ()
    if wrong := [name for name in names if not is_pattern(name)]:
        raise ValueError(f"must be names, comma-separated, such as request-id,tenant-*; {wrong[0]!r} is none")
    return names
