"""The secrets of a local stack: made once, kept beside its data."""

from __future__ import annotations

import secrets
from pathlib import Path

_BYTES = 24  # 32 characters


def kept_password(file: Path) -> str:
    """The password in a file that only its owner can read; a new random one is written if there is none.

    Raises:
        OSError: the file cannot be read or written.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600)
    file.chmod(0o600)
    password = file.read_text(encoding="utf-8").strip()
    if not password:
        password = secrets.token_urlsafe(_BYTES)
        file.write_text(password + "\n", encoding="utf-8")
    return password
