"""`python -m local.clean`: deletes the data of the local stack in LOCAL_DIR, unless it is running."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from local.errors import LocalError
from local.lock import lock
from local.settings import LocalSettings

# Only what the stack has made, since LOCAL_DIR may be a folder that holds other things.
_DATA = ("kafka", "clickhouse", "log")
_REST = ("cache", "lock")


def main(arguments: list[str], environ: dict[str, str]) -> int:
    """Delete the data. Returns 1 if it cannot be deleted, with the reason on standard error, else 0."""
    parser = argparse.ArgumentParser(prog="python -m local.clean", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--all", action="store_true", help="delete downloads and the password too")
    options = parser.parse_args(arguments)
    try:
        settings = LocalSettings.from_env(environ)
        rest = (*_REST, settings.password_file.name, settings.receipt_key_file.name, settings.environment_file.name)
        delete(settings.directory, (*_DATA, *rest) if options.all else _DATA)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or 'This machine'}: {error.strerror or error}", file=sys.stderr)
        return 1
    print(f"Deleted the data in {settings.directory}. The next 'make run' starts empty.")
    return 0


def delete(directory: Path, names: tuple[str, ...]) -> None:
    """Delete these files and folders, and the directory if it is empty then.

    Raises:
        LocalError: a stack is running in the directory.
        OSError: something cannot be deleted.
    """
    if not directory.exists():
        return
    held = lock(directory)
    if held is None:
        raise LocalError(f"A local stack is running in {directory}. Stop it first; nothing was deleted.")
    with held:
        for name in names:
            path = directory / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    if not any(directory.iterdir()):
        directory.rmdir()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ)))
