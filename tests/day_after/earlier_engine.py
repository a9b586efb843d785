"""`python -m tests.day_after.earlier_engine`: the engine of an earlier version behind the same HTTP protocol."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import pyarrow

from local.kafka_jars import DEFAULT_CACHE

_REQUIREMENT: Final = Path(__file__).with_name("earlier-engine.txt")
_FOLDER: Final = DEFAULT_CACHE / "earlier-engine"
_LATER_GRANT: Final = re.compile(r"<query>GRANT READ, WRITE ON DISK</query>")


def install() -> None:
    """Download it, once (160 MB)."""
    if _FOLDER.exists():
        return
    new = _FOLDER.with_suffix(".new")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--require-hashes", "-r", _REQUIREMENT, "--target", new], check=True)
    new.rename(_FOLDER)


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code."""
    sys.path.insert(0, str(_FOLDER))
    from local.engine import __main__, confinement, database

    # It has no rights on disks, its parser does not count statements, and it does not say what it has written.
    vars(database).update(
        USERS=_LATER_GRANT.sub("", confinement.USERS),
        _insert=_insert,
        _whole=_whole,
        _refuse_several=lambda _connection, _sql: None,
    )
    return __main__.main(arguments)


def _insert(connection: Any, statement: Any, progress: Any) -> None:
    """As in `local.engine.database`; what was written is counted in the rows, of which an insert stores all or none."""
    rows = b"".join(statement.rows)
    with tempfile.NamedTemporaryFile() as file:
        file.write(rows)
        file.flush()
        connection.query(statement.reading(file.name))
    if statement.format == "Arrow":
        progress.written_rows = progress.result_rows = pyarrow.ipc.open_file(rows).read_all().num_rows


def _whole(connection: Any, statement: Any, progress: Any) -> bytes:
    result = connection.query(statement.sql, statement.format)
    progress.result_rows += result.rows_read()
    return bytes(result.bytes() or b"")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
