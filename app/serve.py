"""Runs the service until it is stopped."""

import ctypes
import gc
import logging
import sys
import time
from collections.abc import Iterable, Sequence

from app.component import CannotStart, Component, start_all, stop_all
from app.last_resort import LastResort
from app.logging_setup import set_up_logging
from app.service import STOP_SECS
from app.settings import Settings
from app.stop_signals import StopSignals
from app.version import VERSION

_log = logging.getLogger("app")

_KILL_SECS = STOP_SECS + 1  # and one before Cloud Run kills
_SWITCH_SECS = 0.0003  # instead of 0.005

# Parameters of mallopt, from glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def serve(settings: Settings, components: Sequence[Component], *, warnings: Iterable[str] = ()) -> int:
    """Run the components until SIGTERM or SIGINT. Returns the exit code.

    `warnings` are sentences about the settings.
    """
    as_json = settings.log.format == "json" or (settings.log.format == "auto" and settings.on_cloud_run)
    set_up_logging(settings.log.level, as_json=as_json)
    _log.info("Log analytics %s starts: %s", VERSION, ", ".join(settings.service.roles))
    for sentence in warnings:
        _log.warning("%s", sentence)
    signals = StopSignals()
    configure_memory()
    # A probe needs Python's lock a few times, and may wait each time for every thread that wants it too.
    sys.setswitchinterval(_SWITCH_SECS)
    try:
        start_all(components)
    except CannotStart as error:
        _log.error("%s", error)
        return 1
    signals.wait()
    last_resort = LastResort()
    last_resort.arm(_KILL_SECS)
    stop_all(components, STOP_SECS, time.monotonic, last_resort.begins)
    _log.info("Bye")
    return 0


def configure_memory() -> None:
    """Configure the garbage collector and the system's allocator for many short-lived objects."""
    # A chunk of records is many objects without cycles; the default collection frequency costs a fifth of the CPU.
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)
    gc.enable()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's
    if mallopt is not None:
        # By default it keeps what was freed, and every thread that ever inserted an arena of its own. The largest
        # columns of a batch go back to the system at once; other memory is kept, as to get it anew each time costs CPU.
        # From 4 MB on a backlog of long messages takes 20 MB more.
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, 2 * 1024 * 1024)
        mallopt(_M_TRIM_THRESHOLD, 8 * 1024 * 1024)
