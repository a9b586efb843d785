"""Card numbers: 13 to 19 digits of a known issuer whose last one is the check digit (ISO/IEC 7812-1). Pure."""

import re
from typing import Final

from app.domain.masking.rule import Rule, mark

_NAME: Final = "cards"
_GAP: Final = r"[ \-._\u00a0]"
# Digits in one piece, or in the groups that are printed on cards. The decimals of a fraction are none.
_NUMBER: Final = re.compile(
    # Looks back from behind the first digit, which is found faster. An escape of a URL or of JSON may be in front.
    r"[0-9](?:(?<![0-9][0-9])(?<![0-9]\.[0-9])|(?<=[%x][0-9A-Fa-f][0-9][0-9])|(?<=\\u[0-9A-Fa-f]{3}[0-9][0-9]))"
    rf"(?:[0-9]{{12,18}}|[0-9]{{3}}(?P<a>{_GAP})[0-9]{{4}}(?P=a)[0-9]{{4}}(?P=a)[0-9]{{1,4}}(?:(?P=a)[0-9]{{3}})?"
    rf"|[0-9]{{3}}(?P<b>{_GAP})[0-9]{{6}}(?P=b)[0-9]{{4,5}})(?![0-9])"
)
_ISSUERS: Final = re.compile(
    "(?:4(?:.{12}|.{15}|.{18})"  # Visa
    "|(?:5[1-5].{2}|222[1-9]|22[3-9].|2[3-6]..|27[01].|2720).{12}"  # Mastercard
    "|3[47].{13}"  # American Express
    "|(?:30[0-5]|3[689].).{11,16}"  # Diners Club
    "|(?:6011|65..|64[4-9].).{12,15}"  # Discover
    "|35(?:2[89]|[3-8].).{12,15}"  # JCB
    "|62.{14,17}"  # UnionPay
    "|(?:5018|5020|5038|5893|6304|6759|676[1-3]).{9,15})"  # Maestro
)
_NO_DIGIT: Final = re.compile(r"[^0-9]")
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _masked(text: str) -> tuple[str, int]:
    parts: list[str] = []
    count = at = kept_to = 0
    while found := _NUMBER.search(text, at):
        digits = _NO_DIGIT.sub("", found[0])
        if _ISSUERS.fullmatch(digits) and _has_check_digit(digits):
            parts += (text[kept_to : found.start()], mark(_NAME))
            count += 1
            at = kept_to = found.end()
        else:
            at = found.start() + 1  # a year in front of a number makes other groups of it
    return "".join((*parts, text[kept_to:])), count


def _has_check_digit(digits: str) -> bool:
    """Luhn's sum."""
    values = [ord(digit) - 48 for digit in reversed(digits)]
    return sum(values[::2] + [_DOUBLED[value] for value in values[1::2]]) % 10 == 0


CARDS: Final = Rule(_NAME, r"[0-9]{13}|[0-9]{4}(?:[ \-._]|\x{a0})[0-9]{4}", _masked)
