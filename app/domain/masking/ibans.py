"""International bank account numbers, whose check digits fit (ISO 13616). Pure."""

import re
from typing import Final

from app.domain.masking.rule import BEGINS, Rule, mark

_NAME: Final = "ibans"
_COUNTRIES: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24"
    " FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32"
    " LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29"
    " RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
"""The length of a number of each country."""
_LENGTHS: Final = {text[:2]: int(text[2:]) for text in _COUNTRIES.split()}
_START: Final = re.compile(r"(?P<country>[A-Za-z]{2})[0-9]{2}")
_BEGINS: Final = re.compile(BEGINS)
_REST: Final = re.compile(r"(?:[ -]?[A-Z0-9]){11,30}", re.IGNORECASE | re.ASCII)
_ALNUM: Final = re.compile(r"[A-Za-z0-9]")


def _masked(text: str) -> tuple[str, int]:
    parts: list[str] = []
    count = at = kept_to = 0
    while found := _START.search(text, at):
        length = _LENGTHS.get(found["country"].upper(), 0) if _BEGINS.match(text, found.start()) else 0
        end = _end(text, found.start(), length)
        if end:
            parts += (text[kept_to : found.start()], mark(_NAME))
            count += 1
            at = kept_to = end
        else:
            at = found.start() + 1
    return "".join((*parts, text[kept_to:])), count


def _end(text: str, start: int, length: int) -> int:
    """Where the number ends that begins here, if it has this length and its check digits fit; else 0."""
    rest = _REST.match(text, start + 4) if length else None
    if rest is None:
        return 0
    left, end = length - 4, start + 4
    while left and end < rest.end():
        left -= text[end].isalnum()
        end += 1
    number = "".join(_ALNUM.findall(text[start:end])).upper()
    if (
        left
        or _ALNUM.match(text, end)
        or int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 != 1
    ):
        return 0
    return end


# Many ids look like a number, but few of them begin like one.
_MAY_BEGIN: Final = r"(?:\b|_|\\(?:[nrtbf]|x[0-9a-f]{2}|u[0-9a-f]{4})|%[0-9a-f]{2}|\x1b\[[0-9;]*m)"
_SCREEN: Final = rf"{_MAY_BEGIN}(?:{'|'.join(_LENGTHS)})[0-9]{{2}}(?:[ -]?[a-z0-9]){{11}}"

IBANS: Final = Rule(_NAME, _SCREEN, _masked)
