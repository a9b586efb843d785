"""Notes on a JSON object: which key each field was read from, and why that one. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.domain.level_scales import Scale
from app.domain.notes import Note, Notes
from app.formats.json_levels import severity_of_value, whole_number
from app.formats.json_names import LAST_MESSAGE, TEMPLATES, meaning_of

JSON: Final = "JSON"
MADE: Final = Note("all values", "", "no key holds a message")


def notes_of(
    names: Sequence[str], values: Sequence[Any], sources: Mapping[str, int], levels: Sequence[int], scale: Scale | None
) -> Notes:
    """The notes of an object with these leaves; `sources` is the leaf of each field, `levels` are those of levels."""

    def note(field: str, index: int) -> Note:
        rules = _rules(field, names[index], values[index], scale)
        if field == "level":
            others = [f"{names[i]} {values[i]!r}" for i in levels if i != index and values[i] not in (None, "")]
            rules = [*rules, *_over(values[index], others)]
        return Note.of(f"key {names[index]}", values[index], "; ".join(rules))

    return Notes((JSON,), {field: note(field, index) for field, index in sources.items()})


def _rules(field: str, name: str, value: Any, scale: Scale | None) -> list[str]:
    if field == "level" and whole_number(value) is not None:
        return [_of_number(value, scale)]
    if field == "message" and name in TEMPLATES:
        return ["a template, filled with the other values"]
    meaning = meaning_of(name)
    return ["there is no other message"] if meaning and meaning.field == LAST_MESSAGE else []


def _of_number(value: Any, scale: Scale | None) -> str:
    if severity_of_value(value, scale):
        return f"a number on the scale of {scale.value}" if scale else "a number that means the same on every scale"
    return f"a number that the scale of {scale.value} lacks" if scale else "a number, and no key tells its scale"


def _over(value: Any, others: Sequence[str]) -> Iterator[str]:
    if others:
        what = "the first number" if whole_number(value) is not None else "a name"
        yield f"{what} counts before {', '.join(others)}"
