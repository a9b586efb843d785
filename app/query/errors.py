"""Errors in a query, with what the client needs to correct it."""

from typing import Final

from app.query.tree import Hint

_NEAR_CHARACTERS: Final = 20


class QueryError(Exception):
    """The query cannot be read and must be changed.

    `reason` is a sentence. `position` is where, in characters from 0, and `near` the text around it. `expected` lists
    what is allowed there, and `suggestion` is what was probably meant ("" if nothing is similar). `hints` are whole
    queries that may have been meant.
    """

    def __init__(
        self,
        reason: str,
        *,
        text: str,
        position: int,
        expected: tuple[str, ...] = (),
        suggestion: str = "",
        hints: tuple[Hint, ...] = (),
    ) -> None:
        sentences = [reason]
        if expected:
            sentences.append(f"Expected: {_any_of(expected)}.")
        if suggestion:
            sentences.append(f"Did you mean {suggestion}?")
        super().__init__(" ".join(sentences))
        self.reason = reason
        self.position = position
        self.near = text[max(0, position - _NEAR_CHARACTERS) : position + _NEAR_CHARACTERS]
        self.expected = expected
        self.suggestion = suggestion
        self.hints = hints
        self.correction: tuple[int, int, str] | None = None
        """What was probably meant instead of the text between two positions."""
        self.is_like_text = False
        """Whether the query may be text that was pasted, and needs quotes."""


def _any_of(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


class BadParameter(Exception):
    """A parameter is not valid; `parameter` is its name. Nothing was sent to ClickHouse."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(reason)
        self.parameter = parameter


class NoSuchLog(Exception):
    """There is no log with this id: it never existed, or its retention has passed."""
