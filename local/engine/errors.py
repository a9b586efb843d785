"""ClickHouse's numbered errors, and the HTTP status of each."""

from __future__ import annotations

import re

SYNTAX_ERROR = 62
UNSUPPORTED_METHOD = 48
UNKNOWN_SETTING = 115
TOO_LARGE = 55
CANNOT_DECOMPRESS = 271
TOO_MANY_QUERIES = 202
QUERY_ID_IS_RUNNING = 216
AUTHENTICATION_FAILED = 516
ACCESS_DENIED = 497
UNKNOWN_EXCEPTION = 1002

# As ClickHouse's exceptionCodeToHTTPStatus has them; every other code is a 500.
_CODES_BY_STATUS = {
    400: (6, 8, 10, 15, 25, 26, 27, 36, 38, 41, 44, 53, 62, 72, 117, 427, 441, 675, 676, 321),
    401: (194,),
    403: (192, 193, 497, 516),
    404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 336, 511),
    408: (159,),
    413: (55,),
    501: (48,),
    503: (76, 209, 439),
}
_STATUS_BY_CODE = {code: status for status, codes in _CODES_BY_STATUS.items() for code in codes}
_CODE = re.compile(r"Code: (\d+)\. ")


class EngineError(Exception):
    """A ClickHouse error as the response to a request: its number and the text for the client."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code

    @classmethod
    def refused(cls, code: int, reason: str, name: str) -> EngineError:
        """An error of our own, in the engine's wording."""
        return cls(code, f"Code: {code}. DB::Exception: {reason} ({name})")

    @classmethod
    def from_engine(cls, error: Exception) -> EngineError:
        """The engine's own error, from chDB's text."""
        text = str(error)
        found = _CODE.search(text)
        if found is None:
            return cls(UNKNOWN_EXCEPTION, f"Code: {UNKNOWN_EXCEPTION}. DB::Exception: {text} (UNKNOWN_EXCEPTION)")
        return cls(int(found[1]), text[found.start() :])

    @property
    def status(self) -> int:
        """The HTTP status for this code."""
        return _STATUS_BY_CODE.get(self.code, 500)
