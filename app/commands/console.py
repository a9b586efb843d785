"""What commands have in common: they end with Ctrl-C, or when the reader of their output goes away."""

import logging
import os
import signal
import sys
from collections.abc import Callable


def run_command(job: Callable[[], int], *, cut_off: int) -> int:
    """Run a job that prints. Returns its exit code, or `cut_off` where nobody wanted to read all of it."""
    # What the clients complain of is said by the command, in better words.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        return job()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:  # whoever reads, `head` for one, has seen enough; what is still buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return cut_off


def say(line: str) -> None:
    """A line on standard output, at once."""
    print(line, flush=True)
