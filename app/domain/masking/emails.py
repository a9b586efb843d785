"""Addresses of e-mail. Pure."""

import re
from typing import Final

from app.domain.masking.rule import Rule, behind_escape, mark

_NAME: Final = "emails"
_MOST_CHARS: Final = 64  # in front of the @ (RFC 5321)
_DOMAIN: Final = re.compile(r"(?:@|%40|\\u0040)(?:[\w-]{1,63}\.){1,8}(?!\d)[\w-]{2,63}")
# Bytes that are not UTF-8 stand as lone surrogates.
_OF_A_NAME: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~\udc80-\udcff-]")
_ENDS_A_NAME: Final = frozenset("=?&/'`|{}")  # allowed by the RFC, and nearly always what stands around an address


def _masked(text: str) -> tuple[str, int]:
    parts: list[str] = []
    count = kept_to = 0
    for found in _DOMAIN.finditer(text):
        start = found.start()
        least = max(kept_to, start - _MOST_CHARS)
        while start > least and text[start - 1] not in _ENDS_A_NAME and _OF_A_NAME.match(text[start - 1]):
            start -= 1
        start = min(behind_escape(text, start), found.start())
        if start < found.start():
            parts += (text[kept_to:start], mark(_NAME))
            count += 1
            kept_to = found.end()
    return "".join((*parts, text[kept_to:])), count


EMAILS: Final = Rule(_NAME, r"\S(?:@|%40|\\u0040)[^\s@]{1,63}\.\S{2}", _masked)
