"""`python -m app token`: makes, lists and revokes tokens. Connects to nothing."""

import fcntl
import os
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from app.access.token_lines import (
    BadLine,
    BadTokens,
    line_of,
    read_name,
    read_only,
    read_scopes,
    read_tokens,
    scopes_of,
    time_text,
    token_of,
)
from app.access.tokens import Token, digest_of, new_secret
from app.console import run_command, say, say_error
from app.query.language import parse

_FILE: Final = "AUTH_TOKENS_FILE"
_SHOWN_DIGITS: Final = 8  # of a hash: enough to tell tokens apart


class _Failed(Exception):
    """The command cannot do what it was asked; the message says why."""


def token(options: Namespace, environ: Mapping[str, str]) -> int:
    """Run the action of these options. Returns the exit code: 0, or 2 if it failed, and then nothing has changed."""
    path = options.file or (Path(environ[_FILE]) if environ.get(_FILE) else None)
    actions = {
        "create": lambda: _create(options, path),
        "list": lambda: _list(path, environ),
        "revoke": lambda: _revoke(options.name, path),
    }
    return run_command(partial(_tried, actions[options.action], path), cut_off=0)


def _tried(action: Callable[[], None], path: Path | None) -> int:
    try:
        action()
    except BadTokens as error:
        for problem in error.problems:
            say_error(f"{path or 'AUTH_TOKENS'}: {problem}")
    except OSError as error:
        say_error(f"{error.filename or path}: {error.strerror}")
    except (_Failed, BadLine) as error:
        say_error(str(error))
    except ValueError:
        say_error(f"{path}: the file is not UTF-8 text")
    else:
        return 0
    return 2


def _create(options: Namespace, path: Path | None) -> None:
    rights = read_scopes(",".join(options.scope))
    only = options.only.strip()
    secret = new_secret()
    scope = read_only(only, rights) if only else None
    made = Token(read_name(options.name), rights, digest_of(secret), options.expires, only)
    line = line_of(made)
    if "\n" in line or "\r" in line:
        raise _Failed("--only must be one line")
    if scope is not None:
        for hint in parse(only).hints:
            say_error(f"Note: {hint.message}")
    if path is None:
        say(secret)
        say_error("That is the secret; it cannot be shown again. The line for AUTH_TOKENS or a file:")
        say(line)
        return
    with _changed(path) as lines:
        lines.append(line)
    say(secret)
    say_error(f"That is the secret; it cannot be shown again. Its hash was added to {path}.")


def _list(path: Path | None, environ: Mapping[str, str]) -> None:
    text = path.read_text(encoding="utf-8-sig") if path else environ.get("AUTH_TOKENS", "")
    if path is None and not text:
        raise _Failed(f"Say which file: --file FILE, or {_FILE}.")
    rows = [("name", "scopes", "hash", "expires", "only")]
    for one in read_tokens(text).tokens:
        expires = time_text(one.expires) if one.expires else "never"
        rows.append((one.name, scopes_of(one.rights), one.digest.hex()[:_SHOWN_DIGITS], expires, one.only or "-"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _revoke(name: str, path: Path | None) -> None:
    if path is None:
        raise _Failed(f"Say which file: --file FILE, or {_FILE}.")
    if not path.exists():
        raise _Failed(f"{path}: there is no such file")
    with _changed(path) as lines:
        kept = [line for line in lines if (found := token_of(line)) is None or found.name != name]
        if len(kept) == len(lines):
            raise _Failed(f"{path} has no token {name!r}")
        lines[:] = kept
    say_error(f"{name} was removed from {path}; a running service refuses it within a second.")


@contextmanager
def _changed(path: Path) -> Iterator[list[str]]:
    """The lines of a file, which is replaced as a whole by what is left of them, and only if they are right.

    Raises:
        BadTokens: they are not, before or after.
    """
    path = Path(os.path.realpath(path))  # what a symbolic link points to is replaced, not the link
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # for another run of this command; released with the descriptor
        text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        read_tokens(text)
        lines = text.removesuffix("\n").split("\n") if text else []
        yield lines
        text = "".join(f"{line}\n" for line in lines)
        read_tokens(text)
        _replace(path, text)
        os.fsync(folder)
    finally:
        os.close(folder)


def _replace(path: Path, text: str) -> None:
    """Write a file so that readers see the old text or the new. A new file is for its owner only."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if path.exists():
                before = path.stat()
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fchmod(file.fileno(), before.st_mode & 0o777)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
