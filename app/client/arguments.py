"""The arguments of the commands that query a running service."""

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

DEFAULT_URL: Final = "http://localhost:8080"
_DURATION: Final = re.compile(r"\d+[smhdw]")


def time_text(text: str) -> str:
    """A time for the API, where a duration such as 90m means so long ago."""
    return f"now-{text.strip()}" if _DURATION.fullmatch(text.strip()) else text


def positive(text: str) -> int:
    """A number of at least 1.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdecimal()) or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)


class Command(NamedTuple):
    """A command, and the options it has beside those of all. `first` is an argument before the query."""

    name: str
    summary: str
    description: str
    first: str = ""
    has_query: bool = True
    options: Sequence[tuple[tuple[str, ...], Mapping[str, Any]]] = ()
    outputs: Sequence[str] = ("text", "json", "csv")


def _option(*names: str, **about: Any) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    return names, about


def _limit(noun: str, default: int | None) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    words = f"most {noun} to print (default {default})" if default else f"most {noun} to print"
    return _option("--limit", type=positive, default=default, metavar="N", help=words)


_LOG_OUTPUTS: Final = ("text", "json", "csv", "raw")
_BY: Final = _option("--by", default=None, metavar="FIELDS", help="fields to group by, comma-separated")
_INTERVAL: Final = _option("--interval", default="", metavar="TIME", help="length of a time step, such as 5m")
_PREFIX: Final = _option("--prefix", default="", metavar="TEXT", help="only what begins with this text")

COMMANDS: Final = (
    Command(
        "query",
        "search logs, and follow new ones",
        "Print the newest matching logs, the newest last.",
        options=(
            _limit("logs", 50),
            _option("--cursor", default="", help="continue a search that ended at a limit or timed out"),
            _option("--fields", default="", metavar="NAMES", help="fields to print, comma-separated"),
            _option("-f", "--follow", action="store_true", help="then print new logs as they are stored"),
        ),
        outputs=_LOG_OUTPUTS,
    ),
    Command(
        "stats",
        "count logs, or aggregate a number",
        "Print aggregates of the matching logs: their number, or functions of a field, in total or by group.",
        options=(
            _option("--function", default="", metavar="NAMES", help="such as count, avg, p99 (default count)"),
            _option("--field", default="", metavar="NAME", help="the field of the functions"),
            _BY,
            _INTERVAL,
            _limit("rows", None),
        ),
    ),
    Command(
        "histogram",
        "count logs over time",
        "Print the number of matching logs over time, by level unless --by names other fields ('' for none).",
        options=(_BY, _INTERVAL),
    ),
    Command(
        "fields",
        "list the fields of logs",
        "Print the fields of the newest matching logs, the most frequent first.",
        options=(_PREFIX, _limit("fields", 100)),
    ),
    Command(
        "values",
        "list the values of a field",
        "Print the values of a field in the matching logs, the most frequent first.",
        first="field",
        options=(_PREFIX, _limit("values", 20)),
    ),
    Command(
        "context",
        "show what was logged around a log",
        "Print the logs before and after a log, by its id (-o json shows ids), oldest first.",
        first="id",
        has_query=False,
        options=(
            _option("--same", choices=("service", "host", "trace", ""), help="the field they share (default service)"),
            _option("--before", type=int, default=20, metavar="N", help="most logs before it (default 20)"),
            _option("--after", type=int, default=20, metavar="N", help="most logs after it (default 20)"),
        ),
        outputs=_LOG_OUTPUTS,
    ),
)
NAMES: Final = frozenset(command.name for command in COMMANDS)


def add_commands(commands: Any) -> None:
    """Add the commands to the subparsers of `python -m app`."""
    for command in COMMANDS:
        parser = commands.add_parser(
            command.name, help=command.summary, description=f"{command.description} docs/command-line.md has examples."
        )
        _add(parser, command)


def sorted_out(arguments: Sequence[str]) -> list[str]:
    """The arguments of one of these commands, the options first.

    What is no option of the command is a part of the query, also if it begins with "-", such as -level:error.
    """
    name, *rest = arguments
    command = next(command for command in COMMANDS if command.name == name)
    parser = argparse.ArgumentParser(add_help=False)
    actions = {text: action for action in _add(parser, command) for text in action.option_strings}
    options: list[str] = []
    words: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            words += rest
            break
        if word in actions:
            options.append(word)
            if actions[word].nargs != 0 and rest:
                # Joined, so that a value may begin with "-".
                options[-1:] = [f"{word}={rest.pop(0)}"] if word.startswith("--") else [word, rest.pop(0)]
        elif word in ("-h", "--help") or word.startswith("--"):
            options.append(word)
        else:
            words.append(word)
    return [name, *options, "--", *words]


def _add(parser: argparse.ArgumentParser, command: Command) -> list[argparse.Action]:
    if command.first:
        parser.add_argument(command.first)
    if command.has_query:
        parser.add_argument(
            "query", nargs="*", help="the query, in one word or several: docs/query.md; -level:info is a part of it too"
        )
    add = parser.add_argument
    actions = [add(*names, **about) for names, about in command.options]
    if command.has_query:
        actions += [
            add("--since", "--from", "--start", dest="start", type=time_text, default="now-1h", metavar="TIME",
                help="start of the time range: 90m, 2d, now-1h (default), 2026-11-23T10:15:00Z"),
            add("--to", "--end", dest="end", type=time_text, default="now", metavar="TIME",
                help="end of the time range, not included (default now)"),
        ]  # fmt: skip
    return [
        *actions,
        add("-o", "--output", choices=command.outputs, default="text", help="format of the output (default text)"),
        add("--json", dest="output", action="store_const", const="json", help="the same as -o json: an object a line"),
        add("--url", default=None, help=f"the service (default LOG_ANALYTICS_URL, or {DEFAULT_URL})"),
        add("--colour", "--color", choices=("auto", "always", "never"), default="auto", help="default: auto"),
        add("--timeout-ms", type=positive, default=None, metavar="MS", help="timeout of the query in milliseconds"),
    ]
