"""Describes the machine and the interpreter of a measurement."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any, Final

from bench.errors import BenchError

_PACKAGES = (
    "kafka-python",
    "confluent-kafka",
    "crc32c",
    "lz4",
    "msgspec",
    "pyarrow",
    "numpy",
    "clickhouse-connect",
    "prometheus-client",
)

_BUSY: Final = 0.3  # of a core, before anything was started: others work on the machine

_VERSION_SCRIPT = """
import importlib.metadata, json, platform, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
found = {name: version(name) for name in sys.argv[1:]}
print(json.dumps({"python": platform.python_version(), "packages": {name: v for name, v in found.items() if v}}))
"""


def interpreter(python: str) -> dict[str, Any]:
    """The version of an interpreter, and of its packages that matter for speed.

    Raises:
        BenchError: it cannot be run.
    """
    try:
        done = subprocess.run([python, "-c", _VERSION_SCRIPT, *_PACKAGES], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(f"--service-python {python} cannot be run: {error}") from error
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    return {
        "processor": _first_value("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
    }


def others_load() -> str:
    """Why figures that are taken from now on are provisional; empty on a quiet machine. Call it before the start."""
    load = os.getloadavg()[0]
    return f"others worked on the machine (load {load:.1f} before the start)" if load > _BUSY else ""


def _first_value(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
