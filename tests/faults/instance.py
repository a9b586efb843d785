"""One instance of the service, restarted by a supervisor when it ends or its liveness probe fails."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from local.errors import LocalError
from local.service import Scrape, ServiceProcess

_CHECK_SECS = 0.02
_PATIENCE_SECS = 60.0
_LIVENESS_SECS = 1.0


class Instance:
    """Sends signals to the process; a supervisor thread restarts it."""

    def __init__(self, environ: Mapping[str, str], log_file: Path, directory: Path) -> None:
        self.process = ServiceProcess(environ, log_file, directory=directory)
        self.starts = 0
        self._log_file = log_file
        self._should_end = threading.Event()
        self._is_held = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._thread.start()

    @property
    def log(self) -> str:
        """Its log over all starts."""
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    @property
    def is_running(self) -> bool:
        """Whether the process is running."""
        return self.starts > 0 and self.process.exit_code is None

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal, if it is running."""
        self.wait_until_running()
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    def kill(self) -> None:
        """kill -9; it is restarted at once."""
        self.signal(signal.SIGKILL)

    def hold(self) -> None:
        """kill -9 without a restart until `release`."""
        self._is_held.set()
        self.kill()
        self._wait_until_ended()

    def ask_to_end(self) -> int | None:
        """SIGTERM without a restart until `release`. Returns the exit code."""
        self._is_held.set()
        self.signal(signal.SIGTERM)
        self._wait_until_ended()
        return self.process.exit_code

    def release(self) -> None:
        """Let it be started again."""
        self._is_held.clear()

    def pause(self) -> None:
        """SIGSTOP: it stalls without knowing."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)

    def scrape(self) -> Scrape | None:
        """Its metrics, or None while it does not respond."""
        with suppress(OSError, ValueError):
            return self.process.scrape()
        return None

    def end(self, *, gently: bool = True) -> None:
        """Stop it for good: SIGTERM as an operator does, or kill -9."""
        self._should_end.set()
        self._thread.join()
        self.process.stop() if gently else self.process.kill()

    def wait_until_running(self) -> None:
        """Wait until the process has been started."""
        deadline = time.monotonic() + _PATIENCE_SECS
        while not self.is_running:
            assert time.monotonic() < deadline, f"the service is not running:\n{self.log[-2000:]}"
            time.sleep(_CHECK_SECS)

    def _asks_for_restart(self) -> bool:
        """Whether its liveness probe fails. No response does not count: a stopped instance may be resumed."""
        with suppress(OSError, ValueError):
            return self.process.get("/live").status == 503
        return False

    def _wait_until_ended(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECS
        while self.is_running:
            assert time.monotonic() < deadline, "the service does not end"
            time.sleep(_CHECK_SECS)

    def _supervise(self) -> None:
        asked_at = time.monotonic()
        while not self._should_end.is_set():
            if self.is_running and time.monotonic() - asked_at > _LIVENESS_SECS:
                asked_at = time.monotonic()
                if self._asks_for_restart():
                    self.kill()
            if not self.is_running and not self._is_held.is_set():
                self.starts += 1
                with suppress(LocalError):  # it ended during the start: try again
                    self.process.launch()
            self._should_end.wait(_CHECK_SECS)
