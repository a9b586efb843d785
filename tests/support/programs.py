"""Runs external programs: from the development requirements, or installed on the machine."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def find_program(name: str) -> str | None:
    """Path of a program: beside this Python, or on PATH."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def run_program(name: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a program; returns its standard output.

    Raises:
        AssertionError: it is missing or failed; contains its output.
    """
    program = find_program(name)
    assert program, f"{name} is not installed; it comes with requirements-dev.txt"
    return run([program, *map(str, arguments)], environment=environment)


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str:
    """Run a command line; returns its standard output.

    Raises:
        AssertionError: it failed; contains its output.
    """
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
