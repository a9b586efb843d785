"""Messages on standard output and standard error."""

import logging
import os
from contextlib import suppress
from typing import TextIO


def write(text: str, out: TextIO) -> None:
    """Write at once; ignores that the reader of a pipe has ended, as after `| head`.

    Raises:
        OSError: the disk is full, or the device fails. Later writes to `out` are discarded without an error.
    """
    try:
        out.write(text)
        out.flush()
    except OSError as error:
        _discard_output(out)
        if not isinstance(error, BrokenPipeError):
            raise


def say(text: str, out: TextIO) -> None:
    """Write optional output, such as progress, and ignore any error."""
    with suppress(OSError):
        write(text, out)


def _discard_output(out: TextIO) -> None:
    # The text that could not be written is still in the stream's buffer: Python would try again at exit, and fail.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, out.fileno())
    os.close(nowhere)


def set_up_client_log(*, is_verbose: bool) -> None:
    """Show the log of the Kafka client, or hide it."""
    if is_verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        return
    for name in ("kafka", "app"):  # the summary covers their warnings
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
