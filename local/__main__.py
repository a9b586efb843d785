"""`python -m local`: Kafka, ClickHouse, the service and sample logs on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from types import FrameType

from local.errors import LocalError
from local.settings import LocalSettings
from local.stack import Stack


class _Stop(BaseException):
    """A signal requests the end. Not an Exception, like KeyboardInterrupt, so that no handler swallows it."""


def main(arguments: list[str], environ: dict[str, str]) -> int:
    """Run until stopped. Returns 0 when stopped, 1 when something failed; the reason is on standard error."""
    parser = argparse.ArgumentParser(prog="python -m local", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--no-samples", action="store_true", help="send no sample logs")
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise_stop)
    try:
        _run(Stack(LocalSettings.from_env(environ), environ, _show), with_samples=not options.no_samples)
    except _Stop:
        return 0
    except LocalError as error:
        print(f"\n{error}", file=sys.stderr)
    except OSError as error:
        print(f"\n{error.filename or 'This machine'}: {error.strerror or error}", file=sys.stderr)
    return 1


def _run(stack: Stack, *, with_samples: bool) -> None:
    stack.check_machine()
    try:
        stack.start(with_samples=with_samples)
        stack.watch()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # stopping takes only seconds, and must be complete
        _show("Stopping everything ...")
        stack.stop()
        _show("Stopped.")


def _raise_stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stop


def _show(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ)))
