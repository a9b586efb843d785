"""F18 to F21, F23 and F26: faults of ClickHouse."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.faults import http_proxy
from tests.faults.fault import Fault, Impossible
from tests.faults.strace import find_strace, injected
from tests.faults.world import Setup, World

_RENAMES = ("rename", "renameat", "renameat2")
_ATTEMPTS = 10
_FORWARD_SECS = 3600
_BACK_SECS = -30  # the service waits for as long as the clock was set back
_SMALL_DISK_MB = 200
_RESERVED_BYTES = 1 << 20  # by ClickHouse, for the smallest insert
_OUTAGE_SECS = 5.0


def _restart(world: World) -> float:
    world.engine.kill()
    world.engine.start()
    return world.recovery_secs()


def _killed(world: World, _number: int) -> float:
    """kill -9 at a random moment; started again at once."""
    world.random_pause(1.0)
    os.kill(world.engine.pid, signal.SIGKILL)
    return _restart(world)


def _rename_fails(world: World, fault: str) -> None:
    """Inject a fault into the rename that adds the part of an insert to the table."""
    for _ in range(_ATTEMPTS):  # merges rename too
        with injected(world.engine.pid, _RENAMES, fault, world.directory / "strace.txt") as injection:
            call = injection.wait()
        if "tmp_insert" in call:
            return
        if "SIGKILL" in fault:
            _restart(world)
    raise AssertionError("only merges renamed parts")


def _killed_at_rename(world: World, _number: int) -> float:
    """Kill between the deduplication log and the rename: ClickHouse then has the token but not the rows."""
    _rename_fails(world, "error=EIO:signal=SIGKILL:when=1")
    return _restart(world)


def _rename_fails_once(world: World, _number: int) -> float:
    _rename_fails(world, "error=EIO:when=1")
    return world.recovery_secs()


def _log_write_fails_once(world: World, _number: int) -> float:
    """ClickHouse ignores the error: it acknowledges the insert and loses its token, which shows after a restart."""
    [log] = sorted(world.engine_directory.glob("data/store/*/*/deduplication_logs/*.txt"))[-1:]
    calls, trace = ("write", "pwrite64", "writev"), world.directory / "strace.txt"
    with injected(world.engine.pid, calls, "error=ENOSPC:when=1", trace, path=log) as injection:
        injection.wait()
    os.kill(world.engine.pid, signal.SIGKILL)
    return _restart(world)


def _token_evicted(world: World, _number: int) -> float:
    """The reply is lost, and the table forgets the token before the service checks it."""
    world.engine_proxy.strike(http_proxy.lose_the_reply)
    for _ in range(2 * _WINDOW):
        world.command("INSERT INTO logs.logs (Timestamp, _topic, Body) SELECT now64(9), 'foreign', toString(rand64())")
    return world.recovery_secs()


_WINDOW = 5


def _make_window_small(world: World) -> None:
    world.command(f"ALTER TABLE logs.logs MODIFY SETTING non_replicated_deduplication_window = {_WINDOW}")


def _disk_full(world: World, _number: int) -> float:
    """For a while there is less space than ClickHouse reserves for an insert, so that it refuses each.

    The rest is enough for an insert that has reserved its space, and nothing is merged. This engine ignores failed
    writes: it acknowledges the insert, or replaces the merged parts, and the rows cannot be read. docs/delivery.md
    documents that; no client can prevent it.
    """
    ballast = world.engine_directory / "ballast"
    failures = world.engine_failures()
    try:
        with ballast.open("wb", buffering=0) as file:
            while _free_bytes(world.engine_directory) >= _RESERVED_BYTES:
                file.write(bytes(1 << 16))
        world.wait_until(lambda: world.engine_failures() > failures + 2, "inserts fail for lack of space")
        world.pause(_OUTAGE_SECS)
    finally:
        ballast.unlink()
    return world.recovery_secs()


def _free_bytes(directory: Path) -> int:
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


def _stop_merges(world: World) -> None:
    world.command("SYSTEM STOP MERGES logs.logs")


def _small_disk(directory: Path) -> Path:
    """Create a file system in a file."""
    image, mount = directory / "disk.img", directory / "clickhouse"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(_SMALL_DISK_MB * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True, capture_output=True)
    return mount


def _unmount(directory: Path) -> None:
    subprocess.run(["umount", str(directory / "clickhouse")], check=True, capture_output=True)


def _clock_jumps(secs: int, world: World, _number: int) -> float:
    """Set ClickHouse's clock while the outcome of an insert is unknown, and set it back at a quiet moment.

    The engine reads the machine's time directly, so no library can fake it. Instead, the fault changes the two values
    through which its clock affects the service: the time it returns, and the time it checks deadlines with.
    """
    clock_answers = world.engine_proxy.clock_answers
    world.engine_proxy.strike(http_proxy.lose_the_reply)
    _set_clock(world, secs)
    recovery_secs = world.recovery_secs()
    assert world.engine_proxy.clock_answers > clock_answers, "nobody asked for the time"
    world.random_pause(1.0)
    _set_clock(world, 0)
    world.recovery_secs()
    return recovery_secs


def _set_clock(world: World, offset_secs: int) -> None:
    world.command(
        "ALTER TABLE logs.logs DROP CONSTRAINT on_time,"
        f" ADD CONSTRAINT on_time CHECK nowInBlock64(3) + toIntervalSecond({offset_secs}) < _deadline"
    )
    world.engine_proxy.clock_offset_secs = offset_secs


_ROLLUP = "SELECT toStartOfMinute(Timestamp) AS minute, count() AS rows FROM logs.logs GROUP BY minute"


def _view_attached(world: World) -> None:
    """Create a counting materialized view, at a quiet moment, so that its start is known."""
    world.load.pause()
    world.drain()
    world.command(f"CREATE MATERIALIZED VIEW rollup ENGINE = SummingMergeTree ORDER BY minute POPULATE AS {_ROLLUP}")
    world.load.flow(world.topic_id)


def _view_throws(world: World, number: int) -> float:
    """Another view fails at every insert for a while; ClickHouse runs it before or after the counting view.

    The failing view permanently misses the rows of that time: the table still stores them, and the service finds them
    there.
    """
    failures = world.engine_failures()
    name = ("a_broken", "z_broken")[number % 2]
    world.command(f"CREATE MATERIALIZED VIEW {name} ENGINE = Null AS SELECT throwIf(1) AS x FROM logs.logs")
    try:
        world.wait_until(lambda: world.engine_failures() > failures, "inserts fail")
        world.pause(_OUTAGE_SECS)
    finally:
        world.command(f"DROP VIEW {name} SYNC")
    return world.recovery_secs()


def _compare_view(world: World) -> None:
    """Check that the counting view has counted each row once. That is not guaranteed, but true here.

    ClickHouse feeds the table and every view from the same block, and a failing view does not affect the others. A kill
    between the table's part and the view's part would be different.
    """
    world.load.pause()
    world.drain()
    in_view = world.query("SELECT minute, sum(rows) FROM rollup GROUP BY minute ORDER BY minute")
    in_table = world.query(f"{_ROLLUP} ORDER BY minute")
    assert in_view == in_table, f"the view says {in_view}, the table {in_table}"


def engine_faults() -> Iterator[Fault]:
    """The faults that can run here."""
    proxied = Setup(is_proxied=True)
    yield Fault("F18", "kill -9 of ClickHouse at random", _killed, runs=260)
    if find_strace():
        yield Fault("F18", "kill -9 of ClickHouse before it renames a part", _killed_at_rename, runs=50)
        yield Fault("F19", "ClickHouse's rename of a part fails once (EIO)", _rename_fails_once)
        yield Fault(
            "F19", "ClickHouse cannot write its deduplication log once (ENOSPC), kill -9", _log_write_fails_once
        )
    yield Fault(
        "F20",
        "reply lost, token driven out of the deduplication window",
        _token_evicted,
        proxied,
        prepare=_make_window_small,
    )
    if _is_root():
        small = Setup(engine_directory=_small_disk, clean_up=_unmount)
        yield Fault("F21", "disk of ClickHouse too full for an insert", _disk_full, small, prepare=_stop_merges)
    for secs in (_FORWARD_SECS, _BACK_SECS):
        what = f"clock of ClickHouse set by {secs:+d} s after a lost reply, and back"
        yield Fault("F23", what, partial(_clock_jumps, secs), proxied)
    yield Fault(
        "F26",
        "a materialized view throws for a while, beside one that counts",
        _view_throws,
        prepare=_view_attached,
        finish=_compare_view,
    )


def impossible_engine_faults() -> Iterator[Impossible]:
    """The faults that cannot run here, and why."""
    if not find_strace():
        yield Impossible("F18, F19", "faults at a system call of ClickHouse", "strace is missing or may not trace")
    if not _is_root():
        yield Impossible("F21", "disk of ClickHouse full", "only root may mount a small file system")


def _is_root() -> bool:
    return os.geteuid() == 0
