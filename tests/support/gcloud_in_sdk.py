"""Runs in the Python of the Google Cloud SDK: parses calls of gcloud by the SDK's own parser, and executes none.

In: a JSON list of calls at standard input: {"words": [...], "whole": false if a sentence only names the command}.
A word may hold the character UNKNOWN.
Out: JSON with the SDK's version, flags of all commands, and for each call its command and what is wrong with it.
The SDK's modules are those behind `gcloud meta lint-gcloud-commands`; they are internal and may change with a version.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from googlecloudsdk import gcloud_main
from googlecloudsdk.core import config

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
# What a variable may hold: one of them has to be accepted where a flag wants a number or a name.
STAND_INS = ("a-name", "1")
MANY = -1


def look_at(cli: Any, words: list[str], whole: bool) -> tuple[dict[str, Any] | None, str | None]:
    """The command of a call as {name, least, most, flags}, and a sentence on what is wrong, or None."""
    certain = UNKNOWN not in words  # whole words that only a run could tell: what is required may be among them
    words = [word for word in words[1:] if word != UNKNOWN]
    leading = words[: next((at for at, word in enumerate(words) if word.startswith("-")), len(words))]
    node = cli._TopElement()
    for word in leading:
        node = node.LoadSubElement(word) if node and node.is_group else node
    if node and node.is_group and not whole:
        return None, None
    if node is None or node.is_group:
        return None, "no command " + repr(" ".join(leading))
    depth = len(node.ai.command_name) - 1
    flags = flags_of(node)
    given = [word.partition("=")[0] for word in words[depth:] if word.startswith("--") and word != "--"]
    unknown = [flag for flag in given if flag not in flags]
    described = {
        "name": " ".join(node.ai.command_name[1:]),
        "least": sum(argument.nargs is None or argument.nargs == "+" for argument in node.ai.positional_args),
        "most": most_of(node.ai.positional_args),
        "flags": flags,
    }
    if unknown:
        return described, "no flag " + unknown[0]
    if not (whole and certain):
        return described, None
    found = [wrong_with(node, [word.replace(UNKNOWN, value) for word in words[depth:]]) for value in STAND_INS]
    return described, None if None in found else found[0]


def wrong_with(node: Any, words: list[str]) -> str | None:
    """What the parser of a command says of its arguments, or None."""
    given = [] if any(word.startswith("--project") for word in words) else ["--project=a-project"]
    before, dashes, after = partition(words, "--")
    try:
        node._parser.parse_args([*before, *given, *dashes, *after], raise_error=True)
    except Exception as error:  # of many kinds: each type of flag has its own
        # Files that the call reads are made by the commands before it.
        return None if "No such file" in str(error) else str(error)
    return None


def partition(words: list[str], separator: str) -> tuple[list[str], list[str], list[str]]:
    at = words.index(separator) if separator in words else len(words)
    return words[:at], words[at : at + 1], words[at + 1 :]


def flags_of(node: Any) -> dict[str, str | list[str]]:
    """Its flags and those of all groups above it."""
    known = node._parser._option_string_actions.items()
    return {name: kind_of(flag) for name, flag in known if name.startswith("--")}


def kind_of(flag: argparse.Action) -> str | list[str]:
    if flag.nargs == 0:
        return "bool"
    return sorted(map(str, flag.choices)) if flag.choices else "value"


def most_of(positionals: list[argparse.Action]) -> int:
    if any(argument.nargs in ("*", "+") or argument.nargs == argparse.REMAINDER for argument in positionals):
        return MANY
    return len(positionals)


def main() -> None:
    cli = gcloud_main.CreateCLI([])
    looks = [look_at(cli, call["words"], call["whole"]) for call in json.load(sys.stdin)]
    top = flags_of(cli._TopElement())
    calls = [{"command": command, "problem": problem} for command, problem in looks]
    print(json.dumps({"sdk": config.CLOUD_SDK_VERSION, "flags": top, "calls": calls}))


main()
