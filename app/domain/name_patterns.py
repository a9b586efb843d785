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
