"""Programs that people send logs with, in environments of their own below .local/clients: `make clients` makes them."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local.paths import ROOT
from tests.support.programs import run

DIRECTORY: Final = ROOT / ".local" / "clients"
_INSTALL: Final = ("make", "--silent", "--assume-old=.venv/dev.stamp", "clients")


class NotInstalled(Exception):
    """The programs cannot be installed; the message says why."""


def install() -> None:
    """Install what is missing; costs nothing if nothing is. Other workers wait for the one that does.

    Raises:
        NotInstalled: it failed, as without a network.
    """
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    with (DIRECTORY / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(_INSTALL, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled(f"`make clients` failed: {done.stderr.strip()}")


class Clients:
    """Runs scripts of users, in a folder of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def python(self, script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a script of Python with the packages of requirements-clients.txt; returns its output.

        Raises:
            AssertionError: it failed; with what it wrote.
        """
        return self._run(_PYTHON, "script.py", script, arguments, environment or {})

    def node(self, script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a module of JavaScript with the packages of package.json; see `python`."""
        modules = self.directory / "node_modules"
        if not modules.is_symlink():
            modules.symlink_to(DIRECTORY / "node_modules")
        return self._run(_NODE, "script.mjs", script, arguments, environment or {})

    def _run(
        self, program: Path, name: str, script: str, arguments: tuple[str, ...], environment: Mapping[str, str]
    ) -> str:
        file = self.directory / name
        file.write_text(script, encoding="utf-8")
        return run([str(program), str(file), *arguments], environment={**_plain(os.environ), **environment})


_PYTHON: Final = DIRECTORY / "python" / "bin" / "python"
_NODE: Final = DIRECTORY / "python" / "bin" / "node"


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what directs programs elsewhere: proxies, and settings of OpenTelemetry."""
    directing = ("http_proxy", "https_proxy", "all_proxy")
    return {
        name: value
        for name, value in environ.items()
        if name.lower() not in directing and not name.startswith(("OTEL_", "PYTHON"))
    }
