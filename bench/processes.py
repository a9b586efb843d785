"""CPU time and memory of processes, from /proc."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bench.errors import BenchError

_TICKS_PER_SEC = os.sysconf("SC_CLK_TCK")


class CpuSample(NamedTuple):
    """CPU seconds (user and system) that a process had used at a moment; `at` is Unix time."""

    at: float
    cpu_secs: float


def cpu_secs(pid: int) -> float:
    """CPU seconds of a process up to now, all its threads, user and system.

    Raises:
        BenchError: the process or /proc does not exist.
    """
    return cpu_secs_of_stat(_read(pid, "stat"))


def cpu_secs_of_stat(stat: str) -> float:
    """CPU seconds in the text of /proc/PID/stat; the command name in it may contain spaces and brackets."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SEC


def wake_ups(pid: int) -> int:
    """How often the threads that a process has now have been woken up since they began.

    Raises:
        BenchError: the process or /proc does not exist.
    """
    return sum(
        wake_ups_of_status(_read(pid, f"task/{path.name}/status")) for path in Path(f"/proc/{pid}/task").iterdir()
    )


def wake_ups_of_status(status: str) -> int:
    """The same in the text of /proc/PID/status, which is that of one thread."""
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("voluntary_ctxt_switches:"))


def command_line(pid: int) -> list[str]:
    """The arguments of a process, its program first.

    Raises:
        BenchError: the process or /proc does not exist.
    """
    return _read(pid, "cmdline").rstrip("\0").split("\0")


def peak_memory_mb(pid: int) -> float:
    """Peak resident memory of a process, in units of 10^6 bytes.

    Raises:
        BenchError: the process or /proc does not exist.
    """
    return peak_memory_mb_of_status(_read(pid, "status"))


def peak_memory_mb_of_status(status: str) -> float:
    """Peak resident memory in the text of /proc/PID/status, in units of 10^6 bytes."""
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kib) * 1024 / 1e6


class Memory(NamedTuple):
    """Memory of processes, in units of 10^6 bytes: their share of what is resident (PSS), and all of it (RSS)."""

    pss_mb: float
    rss_mb: float


def memory_of_tree(pid: int) -> Memory:
    """Memory of a process and its descendants.

    Raises:
        BenchError: the process or /proc does not exist.
    """
    found = [memory_of_rollup(_read(pid, "smaps_rollup"))]
    for child in descendants(pid):
        with suppress(BenchError):  # it has ended
            found.append(memory_of_rollup(_read(child, "smaps_rollup")))
    return Memory(sum(each.pss_mb for each in found), sum(each.rss_mb for each in found))


def memory_of_rollup(rollup: str) -> Memory:
    """Memory in the text of /proc/PID/smaps_rollup."""
    kib = {line.split()[0]: int(line.split()[1]) for line in rollup.splitlines() if line.endswith(" kB")}
    return Memory(kib["Pss:"] * 1024 / 1e6, kib["Rss:"] * 1024 / 1e6)


def descendants(pid: int) -> Iterator[int]:
    """The process ids of its children, of their children, and so on."""
    for path in Path("/proc").glob("[0-9]*"):
        child = int(path.name)
        with suppress(BenchError):  # it has ended
            if int(_read(child, "stat").rpartition(")")[2].split()[1]) == pid:
                yield child
                yield from descendants(child)


def _read(pid: int, name: str) -> str:
    path = Path(f"/proc/{pid}/{name}")
    try:
        return path.read_text()
    except OSError as error:
        raise BenchError(
            f"{path} cannot be read: {error.strerror}. The bench needs Linux and running processes."
        ) from error


class CpuTimes:
    """CPU times of processes, sampled so that they can be interpolated for any moment later."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._samples: dict[str, list[CpuSample]] = {name: [] for name in pids}

    def sample(self) -> None:
        """Record the CPU time of each process.

        Raises:
            BenchError: one of them has ended.
        """
        for name, pid in self._pids.items():
            self._samples[name].append(CpuSample(time.time(), cpu_secs(pid)))

    def used(self, name: str, start: float, end: float) -> float:
        """CPU seconds that a process used between two moments (Unix time), within the time it was sampled."""
        samples = self._samples[name]
        return cpu_secs_at(samples, end) - cpu_secs_at(samples, start)

    def total(self, name: str, end: float) -> float:
        """CPU seconds that a process had used by a moment (Unix time) since it was started."""
        return cpu_secs_at(self._samples[name], end)


def cpu_secs_at(samples: Sequence[CpuSample], at: float) -> float:
    """CPU seconds at a moment: interpolated between two samples; outside of them the nearest sample counts."""
    index = bisect_right(samples, at, key=lambda sample: sample.at)
    if index == 0:
        return samples[0].cpu_secs
    if index == len(samples):
        return samples[-1].cpu_secs
    before, after = samples[index - 1], samples[index]
    share = (at - before.at) / (after.at - before.at)
    return before.cpu_secs + share * (after.cpu_secs - before.cpu_secs)
