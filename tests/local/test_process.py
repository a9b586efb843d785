"""Children stop on request, and when their parent ends in any way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.errors import LocalError
from local.paths import ROOT
from local.process import ChildProcess

# Reports that it runs, and stops on SIGTERM.
_OBEDIENT = (
    "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True); time.sleep(600)"
)
# Reports that it runs, and ignores SIGTERM.
_STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"

# Reports that it runs, and has more threads that compute than there are cores.
_BUSY = """
import hashlib, threading
def compute():
    while True:
        hashlib.sha256(bytes(1_000_000))
for _ in range(16):
    threading.Thread(target=compute, daemon=True).start()
print('up', flush=True)
threading.Event().wait(600)
"""

# A parent that starts the child given in its arguments, prints its pid, and waits forever.
_PARENT = """
import sys, time
from pathlib import Path
from local.process import ChildProcess
child = ChildProcess("child", [sys.executable, "-c", sys.argv[1]], Path(sys.argv[2]))
child.start()
child.wait_until(lambda: "up" in child.log_tail(), 20)
print(child.pid, flush=True)
time.sleep(600)
"""

MakeChild = Callable[[str], ChildProcess]


@pytest.fixture
def make_child(tmp_path: Path) -> Iterator[MakeChild]:
    """Starts a Python program and waits until it reports that it is up."""
    children: list[ChildProcess] = []

    def make(program: str) -> ChildProcess:
        child = ChildProcess("The child", [sys.executable, "-c", program], tmp_path / "child.log")
        children.append(child)
        child.start()
        child.wait_until(lambda: "up" in child.log_tail(), timeout_secs=20)
        return child

    yield make
    for child in children:
        child.kill()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # a zombie process counts as gone
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def _wait_until_gone(pid: int, timeout_secs: float) -> None:
    deadline = time.monotonic() + timeout_secs
    while _exists(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


def test_a_child_stops_on_sigterm(make_child: MakeChild) -> None:
    child = make_child(_OBEDIENT)

    child.stop()

    assert child.exit_code == 7
    assert not child.is_running


def test_a_child_that_does_not_listen_is_killed(make_child: MakeChild) -> None:
    child = make_child(_STUBBORN)

    child.stop(timeout_secs=0.2)

    assert child.exit_code == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_thread_of_a_paused_child_runs(make_child: MakeChild) -> None:
    child = make_child(_BUSY)
    for _ in range(20):
        child.pause()
        states = [_state(task) for task in Path(f"/proc/{child.pid}/task").iterdir()]
        child.resume()
        assert set(states) == {"T"}


def _state(task: Path) -> str:
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


def test_a_paused_child_can_be_stopped(make_child: MakeChild) -> None:
    child = make_child(_OBEDIENT)
    child.pause()

    child.stop()

    assert child.exit_code == 7


def test_stopping_twice_is_harmless(make_child: MakeChild) -> None:
    child = make_child(_OBEDIENT)

    child.stop()
    child.stop()
    child.kill()

    assert child.exit_code == 7


def test_a_stopped_child_can_be_started_again(make_child: MakeChild) -> None:
    child = make_child(_OBEDIENT)
    first = child.pid
    child.stop()

    child.start()

    assert child.is_running
    assert child.pid != first


def test_a_child_that_ends_early_leaves_its_last_words(make_child: MakeChild) -> None:
    with pytest.raises(LocalError, match=r"The child ended with code 1\.(.|\n)*ValueError: no disk"):
        make_child("raise ValueError('no disk')")


def test_a_child_that_is_never_ready_is_given_up(make_child: MakeChild) -> None:
    child = make_child(_OBEDIENT)

    with pytest.raises(LocalError, match="The child was not ready after 0 s"):
        child.wait_until(lambda: False, timeout_secs=0.1)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    child = ChildProcess("The child", ["/no/such/program"], tmp_path / "child.log")
    child.start()

    with pytest.raises(LocalError, match="cannot start /no/such/program"):
        child.wait_until(lambda: False, timeout_secs=20)


def test_no_watcher_is_left_when_a_child_has_ended(make_child: MakeChild) -> None:
    child = make_child(_OBEDIENT)
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
    if not children.exists():
        pytest.skip("no /proc here")
    (watcher,) = [int(pid) for pid in children.read_text().split()]
    assert _exists(watcher)

    child.stop()

    _wait_until_gone(watcher, timeout_secs=5)


@pytest.mark.parametrize(
    ("number", "program", "grace_secs"),
    [(signal.SIGTERM, _OBEDIENT, 5.0), (signal.SIGKILL, _OBEDIENT, 5.0), (signal.SIGKILL, _STUBBORN, 15.0)],
    ids=["told to stop", "killed", "killed, child does not listen"],
)
def test_a_child_does_not_outlive_its_parent(
    tmp_path: Path, number: signal.Signals, program: str, grace_secs: float
) -> None:
    command = [sys.executable, "-c", _PARENT, program, str(tmp_path / "child.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        child_pid = int(parent.stdout.readline())
        assert _exists(child_pid)

        parent.send_signal(number)
        parent.wait(10)

    _wait_until_gone(child_pid, grace_secs)
