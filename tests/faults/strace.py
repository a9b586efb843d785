"""Uses strace to make one system call of a running process fail, or to kill the process at it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.faults.proxy import NotFired

_DETACH_SECS = 2.0
_FIRE_SECS = 30.0
_CHECK_SECS = 0.01


def find_strace() -> str | None:
    """Path of strace, if it is installed and may trace our processes."""
    program = shutil.which("strace")
    if program is None:
        return None
    done = subprocess.run([program, "-o", "/dev/null", "true"], capture_output=True, check=False)
    return program if done.returncode == 0 else None


class Injection:
    """A pending fault of a system call."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def wait(self) -> str:
        """Wait until it has happened; returns strace's line of the call.

        Raises:
            NotFired: the process made no such call in time.
        """
        deadline = time.monotonic() + _FIRE_SECS
        while True:
            found = re.search(r".*(?:\(INJECTED\)| = \?).*", self._trace.read_text(errors="replace"))
            if found:
                return found[0]
            if time.monotonic() > deadline:
                raise NotFired(f"no such system call within {_FIRE_SECS:.0f} s")
            time.sleep(_CHECK_SECS)


@contextmanager
def injected(
    pid: int, calls: Sequence[str], fault: str, trace: Path, *, path: Path | None = None
) -> Iterator[Injection]:
    """While the block lasts, inject a fault such as `error=EIO:when=1` into these calls, optionally only on a path."""
    names = ",".join(calls)
    command = [find_strace() or "strace", "-f", "-o", str(trace), "-e", f"trace={names}"]
    command += ["-e", f"inject={names}:{fault}", *(["-P", str(path)] if path else []), "-p", str(pid)]
    trace.unlink(missing_ok=True)
    trace.touch()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        first = process.stderr.readline().decode()  # printed when it has attached to all threads
        assert "attached" in first, first
        yield Injection(trace)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # detaches; the process continues
    try:
        process.communicate(timeout=_DETACH_SECS)
    except subprocess.TimeoutExpired:  # strace 6.1 waits forever for the last thread of a process that it has killed
        process.kill()
        process.communicate()
