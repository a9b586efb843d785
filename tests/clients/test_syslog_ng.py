"""syslog-ng: over TCP, over HTTP and to Kafka. Its package and rsyslog's exclude each other, so CI only unpacks it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.installed import DIRECTORY
from tests.clients.stack import Stack
from tests.e2e.pipeline import wait_until
from tests.support.programs import find_program, run

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not find_program("logger"), reason="logger is not installed (Debian: bsdutils)"),
]

_UNPACKED = DIRECTORY / "syslog-ng"


def command() -> tuple[list[str], dict[str, str]]:
    """How to run it: the one that is installed, or the one that was unpacked."""
    if installed := shutil.which("syslog-ng", path="/usr/sbin:/usr/bin"):
        return [installed], {}
    program = _UNPACKED / "usr/sbin/syslog-ng"
    modules = list((_UNPACKED / "usr/lib/syslog-ng").glob("*/libkafka.so"))
    if not program.exists() or not modules:
        pytest.skip("syslog-ng is not installed")
    libraries = [_UNPACKED / "usr/lib/syslog-ng", *(_UNPACKED / "usr/lib").glob("*-linux-gnu")]
    environment = {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}
    return [str(program), f"--module-path={modules[0].parent}"], environment


@contextmanager
def running(snippet: str, directory: Path) -> Iterator[Path]:
    """The socket of a syslog-ng with a snippet in its configuration, which takes what `logger` writes."""
    socket, configuration = directory / "log", directory / "syslog-ng.conf"
    kept_here = snippet.replace("reliable(yes)", f'reliable(yes) dir("{directory}")')
    configuration.write_text(
        f'@version: 3.38\nsource s_src {{ unix-dgram("{socket}"); }};\n{kept_here}', encoding="utf-8"
    )
    program, environment = command()
    state = [f"--{name}={directory / name}" for name in ("persist-file", "pidfile", "control")]
    process = subprocess.Popen(
        [*program, "--foreground", "--no-caps", "--stderr", f"--cfgfile={configuration}", *state],
        env={**os.environ, **environment},
    )
    try:
        wait_until(socket.exists, "syslog-ng listens")
        yield socket
    finally:
        process.terminate()
        process.wait(30)


def test_each_destination(stack: Stack, tmp_path: Path) -> None:
    with running(stack.recipe_of_kafka("syslog-ng", "syslog-ng"), tmp_path) as socket:
        run([*("logger", "-u", str(socket), "-t", "shop", "-p", "user.warning", "--socket-errors=on"), 'by "ng"'])
        rows = stack.rows("""endsWith(Body, 'by "ng"')""", 3)

    assert {(row["ServiceName"], row["SeverityText"]) for row in rows} == {("shop", "WARN")}
    assert all(row["ResourceAttributes"]["host.name"] for row in rows)
    assert sorted(row["LogAttributes"].get("log.receiver.name", "") for row in rows) == ["", "json", "syslog"]
