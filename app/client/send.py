"""`python -m app send`: sends a file or standard input to a running service over HTTP."""

import re
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from app.client.api import Api, ApiError, Unreachable
from app.client.arguments import DEFAULT_URL
from app.client.token import token_in
from app.console import run_command, say_error

REFUSED: Final = 1
FAILED: Final = 2
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of a request; half of what the service accepts by default. A smaller file is sent as it is."""
_DOCUMENT: Final = re.compile(rb"\s*(?:\[\s*[{\n]|\{\s*\n)")
_TRIES: Final = 5
_PAUSE_SECS: Final = 5.0


class Sends(Protocol):
    """What the command needs of the API."""

    def post(self, path: str, parameters: Mapping[str, Any], body: bytes) -> dict[str, Any]:
        """The response to a request with a body.

        Raises:
            Unreachable, ApiError
        """


def add_send(commands: Any) -> None:
    """Add the command to the subparsers of `python -m app`."""
    parser = commands.add_parser(
        "send",
        help="send the logs of a file or of standard input",
        description="Send logs to a running service: JSON, JSON lines or lines of text. Exit code 0: all are stored,"
        " 1: some cannot be stored, 2: it failed. docs/command-line.md has examples.",
    )
    parser.add_argument("file", help="a file, or - for standard input, which is sent as it comes")
    parser.add_argument("--service", default="", metavar="NAME", help="the service of logs that name none")
    parser.add_argument("--host", default="", metavar="NAME", help="the host of logs that name none")
    parser.add_argument("--timezone", default="", metavar="ZONE", help="of times that state none: Europe/Berlin")
    parser.add_argument("--url", default=None, help=f"the service (default LOG_ANALYTICS_URL, or {DEFAULT_URL})")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Send what the options name. Returns the exit code; the outcome is on standard error."""
    try:
        api = Api(options.url or environ.get("LOG_ANALYTICS_URL") or DEFAULT_URL, token_in(environ))
        source = sys.stdin.buffer if options.file == "-" else Path(options.file).open("rb")  # noqa: SIM115  # closed below
    except ValueError as error:
        say_error(str(error))
        return FAILED
    except OSError as error:
        say_error(f"send: {options.file} cannot be read: {error.strerror}")
        return FAILED
    with source:
        return run_command(lambda: send(api, options, source, say_error, time.sleep), cut_off=FAILED)


def send(
    api: Sends, options: Namespace, source: BinaryIO, remark: Callable[[str], Any], sleep: Callable[[float], Any]
) -> int:
    """Send a source body by body. Returns the exit code."""
    parameters = {"service": options.service, "host": options.host, "timezone": options.timezone}
    stored = refused = 0
    try:
        for body in bodies(source):
            response = _sent(api, parameters, body, remark, sleep)
            stored += response["stored"]
            refused += response["refused"]
            for problem in response["problems"]:
                remark(f"Log {problem['event']} of {response['stored'] + response['refused']}: {problem['reason']}")
    except (ApiError, Unreachable, NotLines, OSError) as error:
        remark(str(error))
        remark(f"Before that, {stored:,} logs were stored.")
        return FAILED
    remark(f"{stored:,} stored, {refused:,} refused")
    return REFUSED if refused else 0


class NotLines(Exception):
    """The source is too long for one request, and cannot be cut between lines."""

    def __init__(self) -> None:
        super().__init__(f"More than {MOST_BYTES // 1024**2} MiB are sent only as lines; producer.py sends any file.")


def bodies(source: BinaryIO) -> Iterator[bytes]:
    """A short source as a whole; a longer one, or one that is still being written, in pieces that end with a line.

    Raises:
        NotLines: a longer one is one JSON document, or has a line that is too long.
    """
    held = b""
    while piece := source.read1(MOST_BYTES - len(held)):  # type: ignore[attr-defined]  # what there is, at least a byte
        held += piece
        whole, end, rest = held.rpartition(b"\n")
        is_full = len(held) >= MOST_BYTES
        if is_full and (not end or _DOCUMENT.match(held)):
            raise NotLines
        if is_full or (not source.seekable() and end):
            yield whole + end
            held = rest
    if held.strip():
        yield held


def _sent(
    api: Sends,
    parameters: Mapping[str, Any],
    body: bytes,
    remark: Callable[[str], Any],
    sleep: Callable[[float], Any],
) -> dict[str, Any]:
    for tries_left in reversed(range(_TRIES)):
        try:
            return api.post("/logs", parameters, body)
        except ApiError as error:
            if not (error.is_temporary and tries_left):
                raise
            remark(str(error))
            remark("Sending again; some logs may be stored twice.")
            sleep(_PAUSE_SECS)
    raise AssertionError("the last try returns or raises")
