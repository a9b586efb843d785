"""Makes one system call of a running process fail, or end the process, by strace."""

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
_LOOK_SECS = 0.01


def find_strace() -> str | None:
    """Where it is, if it is there and may look at a process of ours."""
    program = shutil.which("strace")
    if program is None:
        return None
    done = subprocess.run([program, "-o", "/dev/null", "true"], capture_output=True, check=False)
    return program if done.returncode == 0 else None


class Injection:
    """A system call that is being waited for."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def wait(self) -> str:
        """Wait until it has happened; how strace writes the call.

        Raises:
            NotFired: the process made no such call.
        """
        deadline = time.monotonic() + _FIRE_SECS
        while True:
            found = re.search(r".*(?:\(INJECTED\)| = \?).*", self._trace.read_text(errors="replace"))
            if found:
                return found[0]
            if time.monotonic() > deadline:
                raise NotFired(f"no such system call within {_FIRE_SECS:.0f} s")
            time.sleep(_LOOK_SECS)


@contextmanager
def injected(
    pid: int, calls: Sequence[str], fault: str, trace: Path, *, path: Path | None = None
) -> Iterator[Injection]:
    """For as long as the block lasts: what these calls get, `error=EIO:when=1` for instance; only those on a path."""
    names = ",".join(calls)
    command = [find_strace() or "strace", "-f", "-o", str(trace), "-e", f"trace={names}"]
    command += ["-e", f"inject={names}:{fault}", *(["-P", str(path)] if path else []), "-p", str(pid)]
    trace.unlink(missing_ok=True)
    trace.touch()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        first = process.stderr.readline().decode()  # said when it holds all threads
        assert "attached" in first, first
        yield Injection(trace)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # it lets the other process go on without it
    try:
        process.communicate(timeout=_DETACH_SECS)
    except subprocess.TimeoutExpired:  # strace 6.1 waits for ever for the last thread of one that it has killed
        process.kill()
        process.communicate()
