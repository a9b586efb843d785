"""Profiles the service while it drains a backlog: py-spy's samples, by group of functions."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import BenchError
from bench.report import table
from bench.service import Program, running_service
from bench.stack import BenchStack

_SAMPLES_PER_SEC = 50
_BEGIN_SECS = 60.0
_POLL_SECS = 1.0
_DRAIN_SECS = 600.0
_SAVE_SECS = 30.0
_MOST_FUNCTIONS = 25

WAITING: Final = "waiting"
OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Group:
    """Functions that belong together; `frame` matches `function (file)`, which is py-spy's frame without the line."""

    name: str
    frame: re.Pattern[str]


def _group(name: str, frame: str) -> Group:
    return Group(name, re.compile(frame))


# The innermost frame that matches a group decides. py-spy sees Python frames only, so compiled code counts for the
# Python function that called it.
GROUPS: Final = (
    _group(WAITING, r"^(Condition\.wait|EpollSelector\.select|SocketIO\.readinto|Event\.wait) \("),
    _group(
        "kafka-python: checksums and decompression",
        r"(_maybe_uncompress|validate_crc|calc_crc32c) \(kafka/|kafka/codec",
    ),
    _group(
        "kafka-python: records out of batches", r"kafka/record/|_unpack_records|PartitionRecords|^<lambda> \(<string>"
    ),
    _group("kafka-python: fetching and the rest", r"\(kafka/"),
    _group("records to chunks", r"app/backends/kafka/"),
    _group("decode: compiled code", r"app/pipeline/native_reader\.py"),
    _group("decode: records, in Python", r"app/pipeline/(decode|event_columns)\.py|app/formats/"),
    _group(
        "decode: columns (Arrow)", r"app/pipeline/(native_columns|shared_columns|row_builder|event_times|arrow_maps)"
    ),
    _group(
        "decode: masking, limits, receipts", r"app/pipeline/(decoded|false_receipts)|app/domain/(masking|attribute)"
    ),
    _group("batches", r"app/pipeline/batch\.py|app/domain/rows\.py"),
    _group("insert", r"clickhouse_connect/|app/backends/clickhouse/"),
    _group("metrics and log", r"app/telemetry/|prometheus_client/"),
    _group("the loop itself", r"app/pipeline/|app/service\.py"),
)


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of one thread and how often it was sampled; frames are `function (file)`, outermost first."""

    thread: str
    frames: Sequence[str]
    samples: int

    @property
    def group(self) -> str:
        """The group of the innermost frame that has one."""
        for frame in reversed(self.frames):
            for group in GROUPS:
                if group.frame.search(frame):
                    return group.name
        return OTHER


def read_stacks(raw: str) -> list[Stack]:
    """Read py-spy's raw format: `thread (ID): NAME;frame;frame COUNT` per line. Numbers in thread names are removed."""
    stacks = []
    for line in raw.splitlines():
        position, _, count = line.rpartition(" ")
        thread, *frames = position.split(";")
        name = re.sub(r"[-_.\d]+$", "", thread.partition("): ")[2]) or "(unnamed)"
        stacks.append(Stack(name, [re.sub(r":\d+\)$", ")", frame) for frame in frames], int(count)))
    return stacks


def ticks(stacks: Iterable[Stack]) -> int:
    """The number of samples of the process: every sample contains its main thread."""
    return sum(stack.samples for stack in stacks if stack.thread == "MainThread")


def shares(stacks: Iterable[Stack], thread: str, samples: int) -> list[tuple[str, float]]:
    """Share of the time that threads of this name spend in each group, greatest first; waiting comes last."""
    counts: Counter[str] = Counter()
    for stack in stacks:
        if stack.thread == thread:
            counts[stack.group] += stack.samples
    by_size = sorted(counts.items(), key=lambda item: (item[0] == WAITING, -item[1]))
    return [(group, count / samples) for group, count in by_size]


def top_functions(stacks: Iterable[Stack], thread: str, samples: int) -> list[tuple[str, float]]:
    """Functions most often at the top of the thread's stack, without waiting."""
    counts: Counter[str] = Counter()
    for stack in stacks:
        if stack.thread == thread and stack.group != WAITING and stack.frames:
            counts[stack.frames[-1]] += stack.samples
    return [(function, count / samples) for function, count in counts.most_common(_MOST_FUNCTIONS)]


def as_markdown(context: Mapping[str, str], stacks: Sequence[Stack]) -> str:
    """A page with the shares of each busy thread."""
    samples = ticks(stacks)
    lines = ["# Where the time goes in a drain", "", *(f"- {name}: {value}" for name, value in context.items())]
    lines += [
        f"- Samples: {samples} at {_SAMPLES_PER_SEC} per second, of Python frames; compiled code counts for its caller",
        "",
        "Shares are of the elapsed time. A thread that could run but waits for Python's lock or for a processor is",
        "counted for the function that it is in.",
        "",
        _summary(stacks, samples),
    ]
    for thread in ("ingest", "delivery", "kafka-io-log-ingest"):
        lines += ["", f"## Thread `{thread}`", ""]
        lines += table(("Group", "Share"), _percent(shares(stacks, thread, samples)))
    lines += ["", "## Functions of thread `ingest`", ""]
    lines += table(("Function", "Share"), _percent(top_functions(stacks, "ingest", samples), code=True))
    return "\n".join([*lines, ""])


def _summary(stacks: Sequence[Stack], samples: int) -> str:
    busy = {group: share for group, share in shares(stacks, "ingest", samples) if group != WAITING}
    total = sum(busy.values())
    kafka = sum(share for group, share in busy.items() if group.startswith("kafka-python"))
    decoding = sum(share for group, share in busy.items() if group.startswith("decode"))
    return (
        f"The ingest thread works {total:.0%} of the time: {kafka:.0%} in kafka-python, {decoding:.0%} in decoding and"
        f" {total - kafka - decoding:.0%} in all the rest. The nearer that is to 100 %, the more this thread, and"
        " not Kafka or the engine, is the bottleneck."
    )


def _percent(rows: Iterable[tuple[str, float]], *, code: bool = False) -> list[tuple[str, str]]:
    return [(f"`{name}`" if code else name, f"{share:.1%}") for name, share in rows]


def profile_drain(
    stack: BenchStack, python: str, topic: str, events: int, results: Path, context: Mapping[str, str]
) -> Path:
    """Drain the topic under py-spy, write profile.md and return its path.

    Raises:
        BenchError: py-spy is not installed or may not trace the service.
    """
    raw_file = stack.directory / "profile.raw"
    with running_service(stack, Program(python), topic, "profiled") as service:
        service.wait_until(lambda scrape: scrape.consumed > 0, _BEGIN_SECS)
        sampler = _start_sampler(service.pid, raw_file)
        try:
            service.wait_until_stored(events, _DRAIN_SECS, every_secs=_POLL_SECS)
        finally:
            sampler.send_signal(signal.SIGINT)
            _, errors = sampler.communicate(timeout=_SAVE_SECS)
    stacks = read_stacks(raw_file.read_text()) if raw_file.exists() else []
    if not ticks(stacks):
        raise BenchError(f"py-spy took no samples; it may need root or kernel.yama.ptrace_scope=0:\n{errors[-1000:]}")
    results.mkdir(parents=True, exist_ok=True)
    page = results / "profile.md"
    page.write_text(as_markdown(context, stacks))
    return page


def _start_sampler(pid: int, output: Path) -> subprocess.Popen[str]:
    beside = str(Path(sys.executable).parent)
    program = shutil.which("py-spy", path=beside) or shutil.which("py-spy")
    if program is None:
        raise BenchError("py-spy is not installed; it comes with requirements-dev.txt")
    command = [program, "record", "--pid", str(pid), "--format", "raw", "--threads", "--idle"]
    command += ["--rate", str(_SAMPLES_PER_SEC), "--output", str(output)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
