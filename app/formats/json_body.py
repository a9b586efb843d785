"""The message of an event: a template with its values, or all its values if none of its keys holds one. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.json_values import as_text

MAX_MADE_CHARS: Final = 8192
"""The length of a message that is made of an event's values; the rest is in its attributes."""

MAX_HOLES: Final = 100
MAX_RENDERED_CHARS: Final = 1_000_000

_HOLE: Final = re.compile(r"\{\{|\}\}|\{[@$]?(?P<name>[\w.]{1,80})(?:,-?\d{1,4})?(?P<format>:[^{}]{1,80})?\}", re.ASCII)


def made_body(names: Sequence[str], values: Sequence[Any]) -> str:
    """All values in the order of their keys, as key=value, up to a length; "" if there are none."""
    written: list[str] = []
    left = MAX_MADE_CHARS
    for name, value in zip(names, values, strict=True):
        text = f"{name}={value if type(value) is str else as_text(value)}"
        written.append(text[:left])
        left -= len(text) + 1
        if left <= 0:
            break
    return " ".join(written)


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """A message template with the event's values in place of their names, as Serilog writes it.

    One with more holes than templates have, or that would become longer than messages are, stays as it is.
    """
    if template.count("{") > MAX_HOLES:
        return template
    renderings = iter(values["@r"] if isinstance(values.get("@r"), list) else ())
    texts: dict[str, str | None] = {}
    left = MAX_RENDERED_CHARS

    def filled(hole: re.Match[str]) -> str:
        nonlocal left
        name, ready = hole["name"], None
        if name is None:
            return hole[0][0]
        if hole["format"] and (rendering := next(renderings, None)) is not None:
            ready = as_text(rendering)
        elif name not in texts:
            value = _value_of(name, values)
            texts[name] = None if value is None else as_text(value)
        text = texts.get(name) if ready is None else ready
        left -= len(text or "")
        return text if text is not None and left >= 0 else hole[0]

    text = _HOLE.sub(filled, template)
    return text if left >= 0 else template


def _value_of(name: str, values: Mapping[str, Any]) -> object:
    """The value of a name; the parts of an object, which has been taken apart, together."""
    for full in (name, f"Properties.{name}", f"State.{name}"):
        if full in values:
            return values[full]
        inner = {key[len(full) + 1 :]: value for key, value in values.items() if key.startswith(f"{full}.")}
        if inner:
            return inner
    return None
