"""Runs and prints for all commands: they end with Ctrl-C, or when the reader of their output closes the pipe."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable


def run_command(job: Callable[[], int], *, cut_off: int) -> int:
    """Run a job that prints. Returns its exit code, or `cut_off` if the reader of the output closed the pipe."""
    # The command reports the clients' errors itself, more clearly.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        return job()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader, such as `head`, has ended; buffered output is dropped
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return cut_off


def say(line: str) -> None:
    """Print lines to standard output, with what could harm a terminal escaped, and flush."""
    print(printable(line), flush=True)


def say_error(line: str) -> None:
    """Print lines to standard error, with what could harm a terminal escaped, and flush."""
    print(printable(line), file=sys.stderr, flush=True)


def json_line(value: object) -> str:
    """The value as JSON on one line. Text stays readable, unless some of it could harm a terminal: then all is ASCII.

    json itself escapes only the control characters of ASCII.
    """
    line = json.dumps(value, ensure_ascii=False)
    return line if line.isprintable() else json.dumps(value)


def printable(text: str, *, keep: str = "\n\t") -> str:
    """The text with control and format characters as escapes, such as \\x1b, but for those in `keep`.

    What others wrote must not move the cursor of a terminal, change its colours, its title or its clipboard, or turn
    the direction of writing.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else repr(char)[1:-1] for char in text)
