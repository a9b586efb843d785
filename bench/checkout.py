"""The code of another commit beside this one."""

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
    """A directory with the code of a commit; a directory that is named instead is taken as it is.

    Raises:
        BenchError: there is no such commit.
    """
    if (Path(base) / "app" / "__main__.py").is_file():
        yield Path(base).resolve()
        return
    with TemporaryDirectory(prefix="bench-") as name:
        # An archive and not a worktree: nothing is left in the repository, however this ends.
        archive, directory = Path(name) / "code.tar", Path(name) / "code"
        git(ROOT, "archive", "--output", str(archive), f"{base}^{{commit}}")
        with tarfile.open(archive) as tar:
            tar.extractall(directory, filter="data")
        yield directory


def commit_of(base: str) -> str:
    """How the commit of a directory is called, or the commit that is named itself; with a plus if files were changed.

    Raises:
        BenchError: there is none.
    """
    if not Path(base).is_dir():
        return git(ROOT, "rev-parse", "--short", f"{base}^{{commit}}")
    is_changed = git(Path(base), "status", "--porcelain", "--untracked-files=no")
    return git(Path(base), "rev-parse", "--short", "HEAD") + ("+" if is_changed else "")


def git(directory: Path, *arguments: str) -> str:
    """What git says in a directory.

    Raises:
        BenchError: it fails, or there is no git.
    """
    command = ["git", "-C", str(directory), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except subprocess.CalledProcessError as error:
        raise BenchError(f"git {' '.join(arguments)}: {error.stderr.strip()}") from error
    except OSError as error:
        raise BenchError(f"git cannot be run: {error}") from error
