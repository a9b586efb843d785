"""Formats a tree as text that parses to the same tree."""

from app.domain.columns import Kind
from app.domain.event_time import rfc3339
from app.query.fields import Named
from app.query.tree import And, Equals, Everything, Exists, Node, Not, Or, Range, StartsWith, Words
from app.query.words import words_of


def show(node: Node, *, in_quotes: bool = True) -> str:
    """The text of a tree, optionally without quotes where possible."""

    def inner(part: Node) -> str:
        text = show(part, in_quotes=in_quotes)
        return f"({text})" if isinstance(part, And | Or) else text

    def value(text: str, *, is_open: bool = False) -> str:
        star = "*" if is_open else ""
        if in_quotes or not words_of(text) or text in ("AND", "OR", "NOT", "TO"):
            escaped = text.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"{star}'
        return f"{_escaped(text)}{star}"

    match node:
        case Everything():
            return "*"
        case And():
            return " ".join(map(inner, node.parts))
        case Or():
            return " OR ".join(map(inner, node.parts))
        case Not():
            return f"-{inner(node.part)}"
        case Words():
            return value(node.text, is_open=node.is_open)
        case Equals():
            return f"{_escaped(node.field.name)}:{value(_plain(node.field, node.value))}"
        case StartsWith():
            return f"{_escaped(node.field.name)}:{value(node.text, is_open=True)}"
        case Exists():
            return f"{_escaped(node.field.name)}:*"
        case Range():
            opening = "{" if node.lower and not node.lower.is_included else "["
            closing = "}" if node.upper and not node.upper.is_included else "]"
            lower, upper = (
                value(_plain(node.field, bound.value)) if bound else "*" for bound in (node.lower, node.upper)
            )
            return f"{_escaped(node.field.name)}:{opening}{lower} TO {upper}{closing}"


def _escaped(text: str) -> str:
    return "".join(character if character.isalnum() else f"\\{character}" for character in text)


def _plain(field: Named, value: str | int | float) -> str:
    return rfc3339(int(value)) if field.kind is Kind.TIME else str(value)
