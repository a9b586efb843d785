"""The service as it is shipped, as a child process that is observed by its metrics, health and log."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from app.environment import setting_names
from local.errors import LocalError
from local.paths import ROOT
from local.ports import LOOPBACK, free_port
from local.process import ChildProcess

LATENCY = "log_ingest_end_to_end_latency_seconds"

_NOT_SHIPPED = ROOT / "local/not_shipped"
_START_SECS = 60.0
_STOP_SECS = 60.0  # the service promises to end within 8, on a machine that has time for it
_RESPONSE_SECS = 10
_FIRST_PAUSE_SECS = 0.05
_MOST_PAUSE_SECS = 0.5


@dataclass(frozen=True, slots=True)
class Scrape:
    """Values of /metrics: totals over all labels, and the latency histogram by upper bound in seconds (cumulative)."""

    totals: Mapping[str, float]
    latency_buckets: Mapping[float, float]

    def total(self, name: str) -> float:
        """The value of a series, named without its prefix, over all labels; 0 if it has no values yet."""
        return self.totals.get(f"log_ingest_{name}", 0.0)

    @property
    def consumed(self) -> int:
        """Records read so far."""
        return int(self.total("messages_consumed_total"))

    @property
    def stored(self) -> int:
        """Rows stored so far."""
        return int(self.total("rows_inserted_total"))

    @property
    def stored_at(self) -> float:
        """The time of the last insert, Unix seconds; 0 before the first."""
        return self.total("last_insert_timestamp_seconds")

    @property
    def assigned(self) -> int:
        """Partitions that the service reads."""
        return int(self.total("assigned_partitions"))


class Response(NamedTuple):
    """The response of an endpoint."""

    status: int
    content: Any


def growing_pauses() -> Iterator[float]:
    """Seconds between two looks at a condition: what takes longer is looked at more rarely, since each look costs CPU.

    A scrape takes 10 ms of it. Each pause is about a quarter of the time that has passed.
    """
    secs = _FIRST_PAUSE_SECS
    while True:
        yield secs
        secs = min(1.25 * secs, _MOST_PAUSE_SECS)


def read_metrics(text: str) -> Scrape:
    """Parse the Prometheus text format."""
    totals: dict[str, float] = {}
    buckets: dict[float, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{LATENCY}_bucket":
                buckets[float(sample.labels["le"])] = sample.value
            else:
                totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
    return Scrape(totals, buckets)


def clean_environment(environ: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The environment with only these settings, so that all others have their defaults."""
    of_service = {*setting_names(), "PORT", "K_SERVICE", "CLOUD_RUN_WORKER_POOL"}
    of_service |= {f"{name}_FILE" for name in of_service}
    return as_shipped({name: value for name, value in environ.items() if name not in of_service}) | dict(own)


def as_shipped(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, without packages that only the engine needs, and with compiled files of Python kept.

    Arrow and ClickHouse's client use the packages if they are there: a service with them starts half a second later,
    takes 40 MB more, and may do what it cannot where it is shipped. The image has its code compiled; a service that may
    not keep what it compiles does so at each start, for another quarter of a second.
    """
    kept = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": ":".join(filter(None, [str(_NOT_SHIPPED), environ.get("PYTHONPATH")]))}


class ServiceProcess:
    """One instance of the service, on a port of its own that stays the same for all its starts.

    `directory` holds the code, `module` is the module that Python runs.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        log_file: Path,
        *,
        python: str = sys.executable,
        directory: Path = ROOT,
        module: str = "app",
    ) -> None:
        self.url = f"http://{LOOPBACK}:{(port := free_port())}"
        own = {"HTTP_HOST": LOOPBACK, "HTTP_PORT": str(port)}
        self._child = ChildProcess(
            "The service", [python, "-m", module], log_file, environment={**environ, **own}, directory=directory
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code as in subprocess: negative for a signal; None before the end."""
        return self._child.exit_code

    @property
    def log(self) -> str:
        """The log of all its starts."""
        return self._child.log_file.read_text()

    def launch(self) -> None:
        """Start it without waiting."""
        self._child.start()

    def start(self) -> None:
        """Start it and wait for its first HTTP response, long before it consumes.

        Raises:
            LocalError: it ended, or did not answer in time.
        """
        self.launch()
        self._child.wait_until(self._is_up, _START_SECS)

    def stop(self) -> None:
        """Stop it as an operator does, by SIGTERM."""
        self._child.stop(_STOP_SECS)

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()

    def get(self, path: str) -> Response:
        """Request one of its JSON endpoints."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=_RESPONSE_SECS) as response:  # noqa: S310
                return Response(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            with error:
                return Response(error.code, json.load(error))

    def metrics(self) -> str:
        """The current text of /metrics."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=_RESPONSE_SECS) as response:  # noqa: S310
            return str(response.read().decode())

    def scrape(self) -> Scrape:
        """The current metrics."""
        return read_metrics(self.metrics())

    def wait_until(
        self, is_reached: Callable[[Scrape], bool], timeout_secs: float, *, every_secs: float | None = None
    ) -> Scrape:
        """Scrape the metrics until `is_reached` returns true for them: every `every_secs`, or ever more rarely.

        Raises:
            LocalError: it did not in time, or the service has ended.
        """
        deadline = time.monotonic() + timeout_secs
        pauses = growing_pauses() if every_secs is None else repeat(every_secs)
        while True:
            self._child.require_running()
            if is_reached(scrape := self.scrape()):
                return scrape
            if time.monotonic() > deadline:
                raise LocalError(
                    f"The service has read {scrape.consumed} records and stored {scrape.stored} rows after "
                    f"{timeout_secs:.0f} s, which is not what was expected. Its log ends with:\n"
                    + self._child.log_tail()
                )
            time.sleep(next(pauses))

    def wait_until_stored(self, count: int, timeout_secs: float, *, every_secs: float | None = None) -> Scrape:
        """Wait until `count` rows are stored; `stored_at` of the result is the time of the last of them.

        Raises:
            LocalError: time ran out, or the service has ended.
        """
        reached = self.wait_until(lambda scrape: scrape.stored >= count, timeout_secs, every_secs=every_secs)
        # The time of an insert is set just after its rows: a second scrape has both of the same insert.
        return max(reached, self.scrape(), key=lambda scrape: scrape.stored_at)

    def _is_up(self) -> bool:
        try:
            self.scrape()
        except OSError:
            return False
        return True
