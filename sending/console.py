"""Messages on standard output and standard error."""

import logging
import os
from contextlib import suppress
from typing import TextIO


def write(text: str, out: TextIO) -> None:
    """Write at once; go on silently when the reader went away, as after `| head`.

    Raises:
        OSError: there is no room, or the device fails. What is written there later is lost without an error.
    """
    try:
        out.write(text)
        out.flush()
    except OSError as error:
        _silence(out)
        if not isinstance(error, BrokenPipeError):
            raise


def say(text: str, out: TextIO) -> None:
    """Write what the work does not depend on, such as progress: it goes on when there is no room for words."""
    with suppress(OSError):
        write(text, out)


def _silence(out: TextIO) -> None:
    # The text that could not be written is still in the stream: Python would try again at exit, and fail.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, out.fileno())
    os.close(nowhere)


def set_up_client_log(*, is_verbose: bool) -> None:
    """Show what the Kafka client logs, or nothing of it."""
    if is_verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        return
    for name in ("kafka", "app"):  # the summary says what their warnings would
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
