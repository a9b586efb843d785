"""Names whose values are secrets: password, client_secret, X-Api-Key, Authorization, ... Pure."""

import re
from functools import lru_cache
from typing import Final

_GAP: Final = "[-_ .]?"
HEADERS: Final = r"authorization|(?:set-?)?cookies?"
"""Those whose values are of several words."""

NAMES: Final = (
    r"(?:pass(?:words?|wd|phrase|code)|passwd|pwd|secrets?|token|credentials?|(?:amz|goog)-signature|connection_?string"
    rf"|(?:api|private|access|secret|account|encryption|signing|shared){_GAP}key|session{_GAP}id|{HEADERS}"
    r"|(?<![A-Za-z0-9])(?:pass|pw|otp|cvv2?|cvc2?|jwt))"
    r"(?:[-_]?(?:confirmation|confirm|repeat|again|hash|old|new)|[0-9]{1,3})?"
)
"""The end of such a name, with what is often behind it. No name of something harmless ends like that."""

WORDS: Final = (
    *(
        "pass",
        "pwd",
        "secret",
        "token",
        "credential",
        "amz-signature",
        "goog-signature",
        "connection",
        "api",
        "private",
    ),
    *("access", "account", "encryption", "signing", "shared", "session", "authorization", "set", "cookie", "otp", "cv"),
    *("jwt", "pw"),
)
"""With what they begin, in small letters."""

SCREEN: Final = (
    r"pass|pwd|secret|token|credential|signature|connection_?string|[a-z][-_ .]?key|session[-_ .]?id|authorization"
    r"|cookie|otp|cv[vc]|jwt|pw"
)
"""The same for a first look, as RE2 allows it."""

_ENDS: Final = re.compile(rf"{NAMES}\Z", re.IGNORECASE | re.ASCII)
_PARTS: Final = re.compile(r"[.\[\]/:]+")
_NO_SECRETS: Final = frozenset(("", "true", "false", "null", "none", "nil", "undefined", "-", "*", "[]", "{}"))
_LONGEST: Final = 1000


@lru_cache(maxsize=20_000)
def _is_secret_name(name: str) -> bool:
    return any(_ENDS.search(part) for part in (name, *_PARTS.split(name)))


def is_secret_name(name: str) -> bool:
    """Whether a dotted name is that of a secret, or of something inside of one."""
    return _is_secret_name(name) if len(name) <= _LONGEST else any(map(_ENDS.search, _PARTS.split(name)))


def may_be_secret(value: str) -> bool:
    """Whether the value of such a name is worth masking: whether there is a password is no secret."""
    return value.strip().lower() not in _NO_SECRETS
