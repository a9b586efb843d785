"""Ports and free space of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

from local.errors import LocalError
from local.port_pool import PortPool

LOOPBACK = "127.0.0.1"

# Below the range of outgoing connections: one of these could take the port while its server is restarted.
_FREE_PORTS = range(20_000, 32_768)


def free_port() -> int:
    """A port of the loopback address that nobody uses, reserved for this process until it ends."""
    return _POOL.take()


def is_listening(port: int) -> bool:
    """Whether a server accepts connections on this port of the loopback address."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def require_free_port(port: int, purpose: str, advice: str = "choose another one", patience_secs: float = 5.0) -> None:
    """Check that a port is free, or becomes free within `patience_secs`.

    Raises:
        LocalError: it stays in use; the message ends with the advice.
    """
    deadline = time.monotonic() + patience_secs  # a process killed a moment ago may still be shutting down
    while (reason := _why_not_free(port)) and time.monotonic() < deadline:
        time.sleep(0.2)
    if reason:
        raise LocalError(f"Port {port} for {purpose} cannot be used ({reason}). Stop what is using it, or {advice}.")


def _why_not_free(port: int) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""


_LOCK_FILE = Path(tempfile.gettempdir()) / f"log-analytics-ports-{os.getuid()}"
_POOL = PortPool(_FREE_PORTS, _LOCK_FILE, lambda port: not _why_not_free(port))


def require_free_space(directory: Path, min_bytes: int) -> None:
    """Check that the disk has enough free space.

    Raises:
        LocalError: it has not; the message says how much is free and how much is needed.
    """
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    free_bytes = shutil.disk_usage(existing).free
    if free_bytes < min_bytes:
        raise LocalError(
            f"{directory} has {free_bytes / 1e6:.0f} MB free and {min_bytes / 1e6:.0f} MB are needed. "
            "Free some space, or put the data elsewhere with LOCAL_DIR=DIRECTORY."
        )
