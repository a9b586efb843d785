"""Checks out the code of another commit beside this one."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.errors import BenchError
from local.paths import ROOT


@contextmanager
def checked_out(base: str) -> Iterator[Path]:
    """A directory with the code of a commit. If `base` is a directory, it is used as it is.

    Raises:
        BenchError: the commit does not exist.
    """
    if (Path(base) / "app" / "__main__.py").is_file():
        yield Path(base).resolve()
        return
    with TemporaryDirectory(prefix="bench-") as name:
        # An archive and not a worktree: nothing stays in the repository, however this ends.
        archive, directory = Path(name) / "code.tar", Path(name) / "code"
        git(ROOT, "archive", "--output", str(archive), f"{base}^{{commit}}")
        with tarfile.open(archive) as tar:
            tar.extractall(directory, filter="data")
        yield directory


def commit_of(base: str) -> str:
    """The name of the commit: of the one checked out in a directory, with a plus if files were changed, or of `base`.

    Raises:
        BenchError: there is no such commit.
    """
    if not Path(base).is_dir():
        return git(ROOT, "rev-parse", "--short", f"{base}^{{commit}}")
    is_changed = git(Path(base), "status", "--porcelain", "--untracked-files=no")
    return git(Path(base), "rev-parse", "--short", "HEAD") + ("+" if is_changed else "")


def git(directory: Path, *arguments: str) -> str:
    """Run git in a directory and return its output.

    Raises:
        BenchError: git fails or is not installed.
    """
    command = ["git", "-C", str(directory), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except subprocess.CalledProcessError as error:
        raise BenchError(f"git {' '.join(arguments)}: {error.stderr.strip()}") from error
    except OSError as error:
        raise BenchError(f"git cannot be run: {error}") from error
