"""Runs and prints for all commands: they end with Ctrl-C, or when the reader of their output closes the pipe."""

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
    """Print a line to standard output, and flush."""
    print(line, flush=True)
