"""What is secret in one place of a row is in all others: a message may be made of its values. Pure."""

import json
import re
from collections.abc import Iterable
from typing import Final

from app.domain.masking.passwords import PASSWORDS
from app.domain.masking.rule import mark

_MARK: Final = mark(PASSWORDS.name)
_SHORT: Final = 6  # a shorter one is removed only where it is a word of its own
_CUT_FROM: Final = 1000  # characters of a text from which on it may have been cut
_CUT: Final = 4  # characters of a secret by which it is known where a text was cut within it


class SecretsOfRow:
    """Removes the values of a row's secret names from its other texts."""

    def __init__(self, values: Iterable[str]) -> None:
        forms = {
            form for value in values if value.strip() for form in (value, json.dumps(value, ensure_ascii=False)[1:-1])
        }
        self._forms = sorted(forms, key=lambda form: (-len(form), form))  # one may be a part of another
        self._found = re.compile("|".join(map(_expression, self._forms))) if forms else None

    def removed(self, text: str) -> str:
        """The text with marks in their place."""
        if self._found is None:
            return text
        text = self._found.sub(_MARK, text)
        return self._without_a_beginning(text) if len(text) >= _CUT_FROM else text

    def _without_a_beginning(self, text: str) -> str:
        """The text with a mark in place of the beginning of a secret at its end."""
        for form in self._forms:
            at = text.rfind(form[:_CUT], max(0, len(text) - len(form)))
            if len(form) > _CUT and at >= 0 and form.startswith(text[at:]):
                return text[:at] + _MARK
        return text


def _expression(form: str) -> str:
    return re.escape(form) if len(form) >= _SHORT else rf"(?<!\w){re.escape(form)}(?!\w)"
