"""Ports are allocated once, also across independent processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.paths import ROOT
from local.port_pool import PortPool

PORTS = range(1, 9)

HOLDER = """
import sys
from pathlib import Path
from local.port_pool import PortPool

pool = PortPool(range(1, 9), Path(sys.argv[1]), lambda port: True)
print(*(pool.take() for _ in range(4)), flush=True)
sys.stdin.read()
"""


def pool(lock_file: Path) -> PortPool:
    return PortPool(PORTS, lock_file, lambda port: True)


@contextmanager
def other_process(lock_file: Path) -> Iterator[set[int]]:
    """The four ports that a process holds, which is killed when the block ends."""
    command = [sys.executable, "-c", HOLDER, str(lock_file)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield set(map(int, process.stdout.readline().split()))
        process.kill()


def test_every_port_is_given_out_once(tmp_path: Path) -> None:
    ours = pool(tmp_path / "locks")

    assert sorted(ours.take() for _ in PORTS) == list(PORTS)


def test_a_port_that_somebody_listens_on_is_passed_by(tmp_path: Path) -> None:
    ours = PortPool(PORTS, tmp_path / "locks", lambda port: port == 3)

    assert ours.take() == 3


def test_ports_of_another_process_are_not_reused_before_it_has_ended(tmp_path: Path) -> None:
    ours = pool(tmp_path / "locks")

    with other_process(tmp_path / "locks") as theirs:
        assert len(theirs) == 4
        assert {ours.take() for _ in range(4)} == set(PORTS) - theirs
    assert {ours.take() for _ in range(4)} == theirs
