"""Runs a command that cannot outlive the process that started it.

Usage: `python leash.py FD COMMAND...`, where FD is the reading end of a pipe whose writing end only the parent holds.
The command replaces this process (same pid, so signals reach it directly), and a small watcher process remains: when
the pipe closes, which happens even if the parent is killed with -9, it stops the command. Works wherever there is
fork, on Linux as on macOS. Imports nothing of the project, so that it starts in milliseconds.
"""

import contextlib
import os
import signal
import sys
import time

GRACE_SECS = 10.0


def main(arguments: list[str]) -> None:
    """Fork the watcher, then become the command."""
    pipe, command = int(arguments[0]), arguments[1:]
    command_pid = os.getpid()
    if os.fork() == 0:
        try:
            _watch(pipe, command_pid)
        finally:
            os._exit(0)
    os.close(pipe)
    try:
        os.execvp(command[0], command)  # noqa: S606  # no shell is the point
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error}\n".encode())
        os._exit(127)


def _watch(pipe: int, command_pid: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for descriptor in (0, 1, 2):  # else a reader of the command's output would wait for the watcher
        os.close(descriptor)
    os.read(pipe, 1)
    deadline = time.monotonic() + GRACE_SECS
    # The command is our parent: as long as it is, its pid cannot have been reused.
    with contextlib.suppress(ProcessLookupError):
        if os.getppid() == command_pid:
            os.kill(command_pid, signal.SIGTERM)
            os.kill(command_pid, signal.SIGCONT)
        while os.getppid() == command_pid and time.monotonic() < deadline:
            time.sleep(0.05)
        if os.getppid() == command_pid:
            os.kill(command_pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
