"""Finds the calls of a program in shell text, wherever they are: in a pipe, in `$(...)`, behind `if` or a function.

The text is parsed by shfmt; its tree is described at https://pkg.go.dev/mvdan.cc/sh/v3/syntax.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.programs import find_program

UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # stands for what only a run of the script could tell
Node = dict[str, Any]


class ShellSyntaxError(Exception):
    """The text is not valid for bash; says where."""


@dataclass(frozen=True)
class Call:
    """One call: its words, the program first, and the line that it begins in, from 1 on."""

    words: list[str]
    line: int


def calls(program: str, text: str) -> list[Call]:
    """All calls of `program` in `text`, also those handed to a function: `run gcloud ...`.

    What a variable holds is known if the text assigned it before; else it is UNKNOWN within the word.

    Raises:
        ShellSyntaxError: the text is not valid for bash.
    """
    shfmt = find_program("shfmt")
    assert shfmt, "shfmt is not installed; it comes with requirements-dev.txt"
    command = [shfmt, "--to-json", "--language-dialect", "bash"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ShellSyntaxError(done.stderr.strip())
    variables = _Variables()
    return [call for node in _walk(json.loads(done.stdout)) for call in _calls_in(node, program, variables)]


def _calls_in(node: Node, program: str, variables: _Variables) -> Iterator[Call]:
    words = [word for argument in node.get("Args", ()) if "Parts" in argument for word in variables.words(argument)]
    if program in words:
        yield Call(words[words.index(program) :], node["Pos"]["Line"])
    for assignment in _assignments(node):
        variables.assign(assignment)


def _assignments(node: Node) -> list[Node]:
    """Of variables: A=b, export A=b, local a=(b c). Those in front of a command are for that command only."""
    if node.get("Type") == "CallExpr" and not node.get("Args"):
        return list(node.get("Assigns", ()))
    return [
        assignment for assignment in node.get("Args", ()) if node.get("Type") == "DeclClause" and "Name" in assignment
    ]


@dataclass
class _Variables:
    """Values of the variables and arrays that were assigned up to here."""

    values: dict[str, list[str]] = field(default_factory=dict)

    def assign(self, assignment: Node) -> None:
        name = assignment["Name"]["Value"]
        before = self.values.get(name, []) if assignment.get("Append") else []
        if "Array" in assignment:
            elements = [element["Value"] for element in assignment["Array"].get("Elems", ())]
            self.values[name] = before + [word for element in elements for word in self.words(element)]
        elif "Value" in assignment:
            self.values[name] = ["".join(before) + self._text(assignment["Value"])]

    def words(self, word: Node) -> list[str]:
        """The words that an argument becomes: one, but for "${array[@]}"."""
        [part, *rest] = word["Parts"]
        inner = part["Parts"][0] if part["Type"] == "DblQuoted" and len(part.get("Parts", ())) == 1 else part
        if not rest and inner["Type"] == "ParamExp" and "Index" in inner:
            return self.values.get(inner["Param"]["Value"], [UNKNOWN])
        return [self._text(word)]

    def _text(self, word: Node) -> str:
        return "".join(self._part(part) for part in word.get("Parts", ()))

    def _part(self, part: Node) -> str:
        match part["Type"]:
            case "Lit":
                return re.sub(r"\\\n|\\(.)", r"\1", part["Value"])
            case "SglQuoted":
                return str(part["Value"])
            case "DblQuoted":
                return "".join(_quoted(inner) or self._part(inner) for inner in part.get("Parts", ()))
            case "ParamExp":
                return self._expanded(part)
            case _:
                return UNKNOWN

    def _expanded(self, expansion: Node) -> str:
        """The value of $NAME; where it is not known, the default in ${NAME:-default}."""
        values, change = self.values.get(expansion["Param"]["Value"], []), expansion.get("Exp", {})
        plain = not expansion.keys() & {"Slice", "Repl", "Length", "Index"}
        if plain and len(values) == 1 and change.get("Op") in (None, ":-", ":=", ":?"):
            return values[0]
        return self._text(change.get("Word", {})) if change.get("Op") in (":-", ":=") else UNKNOWN


def _quoted(part: Node) -> str | None:
    """Text within double quotes, where a backslash is kept before most characters."""
    return re.sub(r"\\\n|\\([\"\\$`])", r"\1", part["Value"]) if part["Type"] == "Lit" else None


def _walk(node: Any) -> Iterator[Node]:
    """All nodes, in the order of the text."""
    if isinstance(node, list):
        for item in node:
            yield from _walk(item)
    elif isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
