"""A child process that cannot outlive us: logs to a file, and can be awaited, stopped, killed and paused."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.errors import LocalError

_LEASH = Path(__file__).with_name("leash.py")
_POLL_SECS = 0.02
_MAX_LOG_BYTES = 16 * 1024 * 1024
_ERROR_LINE = re.compile(r"\bERROR\b|\bFATAL\b|Exception: |^Caused by: |Error: ")


class ChildProcess:
    """One child process with a session of its own (Ctrl-C reaches only us) and a log file.

    When this process ends for any reason, the child gets a SIGTERM, and after 10 s a SIGKILL.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log_file: Path,
        *,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self.name = name
        self.log_file = log_file
        self._command = [str(part) for part in command]
        self._environment = environment
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: int | None = None

    @property
    def pid(self) -> int:
        """The process id of the command itself.

        Raises:
            LocalError: it was never started.
        """
        if self._process is None:
            raise LocalError(f"{self.name} was not started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The exit code as in subprocess: negative for a signal; None before the end."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it; returns at once. Does nothing if it is running."""
        if self.is_running:
            return
        self._release()
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        leash, self._leash = os.pipe()
        try:
            with self.log_file.open(self._log_mode()) as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_LEASH), str(leash), *self._command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=None if self._environment is None else dict(self._environment),
                    cwd=self._directory,
                    start_new_session=True,
                    pass_fds=(leash,),
                )
        finally:
            os.close(leash)

    def wait_until(self, is_ready: Callable[[], bool], timeout_secs: float) -> None:
        """Poll `is_ready` until it returns true.

        Raises:
            LocalError: the child ended first, or time ran out; the message ends with the end of its log.
        """
        deadline = time.monotonic() + timeout_secs
        while not is_ready():
            self.require_running()
            if time.monotonic() > deadline:
                raise LocalError(f"{self.name} was not ready after {timeout_secs:.0f} s. {self._log_excerpt()}")
            time.sleep(_POLL_SECS)

    def require_running(self) -> None:
        """Raise LocalError, with the end of its log, if it has ended."""
        if not self.is_running:
            raise LocalError(f"{self.name} ended with code {self.exit_code}. {self._log_excerpt()}")

    def wait(self, timeout_secs: float) -> bool:
        """Wait for its end; returns whether it ended within that time."""
        if self._process is None:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_secs)
            return True
        return False

    def stop(self, timeout_secs: float = 15.0) -> None:
        """SIGTERM, and SIGKILL if it is still running after that time. Does nothing if it is not running."""
        self.request_stop()
        if not self.wait(timeout_secs):
            self.kill()
        self._release()

    def request_stop(self) -> None:
        """SIGTERM without waiting, so that several children can end at the same time."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a paused child would not receive it

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        self._release()

    def pause(self) -> None:
        """SIGSTOP: when this returns none of its threads runs; its sockets stay open."""
        self._signal(signal.SIGSTOP)
        if self._process is not None and hasattr(os, "waitid"):  # Python has none on macOS before 3.13
            # Until one of its threads gets to run and sees the signal, the others go on: long, on a busy machine.
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._signal(signal.SIGCONT)

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        if not self.log_file.exists():
            return ""
        with self.log_file.open("rb") as log:
            log.seek(max(0, self.log_file.stat().st_size - 65536))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)  # does nothing once it has been reaped

    def _release(self) -> None:
        if self._leash is not None:
            os.close(self._leash)
            self._leash = None

    def _log_mode(self) -> str:
        is_large = self.log_file.exists() and self.log_file.stat().st_size > _MAX_LOG_BYTES
        return "wb" if is_large else "ab"

    def _log_excerpt(self) -> str:
        tail = self.log_tail(lines=200)
        if not tail:
            return "It wrote no log."
        return f"Its log ({self.log_file}) says:\n{error_lines(tail) or self.log_tail()}"


def error_lines(text: str, lines: int = 5) -> str:
    """The last lines that look like errors, each truncated to 300 characters."""
    return "\n".join([line[:300] for line in text.splitlines() if _ERROR_LINE.search(line)][-lines:])
