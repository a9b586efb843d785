"""Whether the content of a line has a form of its own, so that it is read like a line by itself."""

import re
from typing import Final

from app.formats.level_words import ALONE, level_of

_OWN_FORM: Final = re.compile(
    r"[\[(<\"]?(?:\[?(?P<level>[A-Za-z]{3,8})\]? {1,4}[\[(]?)?(?:"
    r"\d{4}[-/.]\d\d[-/.]\d\d[T ,]{1,2}\d\d?:\d\d:\d\d"  # ISO 8601 and its relatives
    r"|\d\d[-/ ](?:\d\d|[A-Z][a-z]{2})[-/ ]\d{4}[: ,]{1,2}\d\d:\d\d:\d\d"
    r"|[IWEF]\d{4} \d\d:\d\d:\d\d\.\d)"  # klog
    r"|\{\s{0,8}(?:\"|\})|(?:@cee: ?)\{|(?:CEF|LEEF):\d"
    r"|(?:ts|time|timestamp|level|lvl|severity|at|t|msg)=\S{1,300} [A-Za-z_][\w.-]{0,63}=",  # logfmt
    re.ASCII,
)
_LEVEL: Final = re.compile(r"\[? ?([A-Z]{3,8}) ?\]?[: ]")


def has_own_form(content: str) -> bool:
    """Whether a text opens with a time, a JSON object, CEF, LEEF or the pairs of logfmt, or with a level."""
    match = _LEVEL.match(content)
    return (match is not None and match[1] in ALONE) or has_form(content, 0)


def has_form(line: str, start: int) -> bool:
    """The same of what begins at `start` in a line, where a level alone is not enough."""
    first = line[start : start + 1]
    if first.islower() and first not in "tlsamp":  # the first letters of the keys
        return False
    match = _OWN_FORM.match(line, start)
    return match is not None and (not match["level"] or level_of(match["level"]) != "")
