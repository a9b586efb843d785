"""The text of a body as UTF-8, whatever charset its Content-Type names. Pure."""

import codecs
from typing import Final

from app.input.encoding import encoding_of, is_encoding
from app.receive.received import Posted, Unreadable

_AS_UTF8: Final = frozenset(("", "utf-8", "ascii"))
# Codecs of Python that are no charsets; of some the time to decode grows faster than the text.
_NO_CHARSETS: Final = frozenset(("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"))


def utf8_of(posted: Posted) -> bytes:
    """The body in UTF-8, without a byte order mark. What is said to be UTF-8 keeps all its bytes.

    A byte order mark counts before the charset.

    Raises:
        Unreadable: the charset is unknown, or the body is not in it.
    """
    charset = encoding_of(posted.body) or _name_of(posted.charset)
    if charset in _AS_UTF8:
        return posted.body.removeprefix(codecs.BOM_UTF8)
    try:
        return posted.body.decode(charset).removeprefix("\ufeff").encode()
    except UnicodeError as error:
        raise Unreadable(f"The body is not in the charset {charset}: {error}") from error


def _name_of(charset: str) -> str:
    if not charset:
        return ""
    name = codecs.lookup(charset).name if is_encoding(charset) else ""
    if not name or name.replace("_", "-") in _NO_CHARSETS:
        raise Unreadable(f"The charset {charset[:64]!r} is not known; utf-8 is, and so are other usual ones.")
    return name
