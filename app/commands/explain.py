"""`python -m app explain`: which rows lines and files would become, and why. Connects to nothing, changes nothing."""

import argparse
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from app.build.explainer import build_explainer
from app.commands.explain_arguments import now_ms
from app.commands.explain_report import Report
from app.console import run_command, say, say_error
from app.explain.explainer import Explainer
from app.input.continuation import rule_of
from app.input.lines import Line
from app.input.records import Input
from app.input.source import UnreadableInput, open_source
from app.settings import Settings

UNREADABLE: Final = 2
_LIKE_A_PATH: Final = re.compile(r"[\w~+-]*[./][\w./+-]*")
_MAX_BYTES: Final = 1024 * 1024  # of a record, as topics allow it by default


def explain(settings: Settings, options: argparse.Namespace) -> int:
    """Read the input of the options, and print what its records would become. Returns the exit code."""
    return run_command(lambda: _explain(build_explainer(settings), options), cut_off=0)


def _explain(explainer: Explainer, options: argparse.Namespace) -> int:
    report = Report(
        explainer,
        now_ms=now_ms if options.record_time is None else lambda: options.record_time,
        headers=options.header,
        limit=None if options.summary else options.limit,
        only_flagged=options.flagged,
        as_json=options.json,
        say=say,
    )
    path = _path_of(options)
    if path is None:
        report.take(_as_lines(options.input), is_live=False)
        report.end()
        return 0
    try:
        opened = open_source(path)
        records = Input(opened, encoding=options.encoding or "", new_rule=rule_of(options.multiline), done="explained")
        with closing(records):
            records.open()
            report.take(records.records(_MAX_BYTES), is_live=not opened.is_file)
    except UnreadableInput as error:
        say_error(f"explain: {error}")
        return UNREADABLE
    except OSError as error:
        say_error(f"explain: {path} cannot be read: {error.strerror}")
        return UNREADABLE
    finally:
        report.end()
    return 0


def _path_of(options: argparse.Namespace) -> str | None:
    """The file to read, `-` for standard input; None if lines are given."""
    if options.file:
        return str(options.file)
    [first, *others] = options.input
    if not others and (first == "-" or _is_file(first)):
        return str(first)
    if not others and _LIKE_A_PATH.fullmatch(first):
        say_error(f"explain: there is no file {first}, so it is read as a line")
    return None


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero byte
        return False


def _as_lines(texts: Iterable[str]) -> Iterator[Line]:
    for number, text in enumerate(texts, start=1):
        value = text.encode(errors="surrogateescape")
        yield Line(number, value, len(value))
