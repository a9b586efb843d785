"""The ingest component: connects to Kafka and ClickHouse, moves records until stopped, leaves the group in order."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from msgspec import Struct

from app.errors import MustRejoin, TableMissing, TryAgainLater
from app.health import Health
from app.pipeline.backoff import Backoff
from app.pipeline.ingest import Ingest
from app.ports import RecordSource

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")

# Cloud Run kills ten seconds after SIGTERM. Two of them stay unused, one and a half are for leaving the group.
STOP_SECS = 8.0
_LEAVE_SECS = 1.5

_ABANDON_SECS = 0.1


class _Stopping(Exception):
    """The service was stopped while it was still starting."""


class Side(Struct, frozen=True):
    """One of the two systems that the service connects, and how to prepare it.

    `prepare` creates what is missing (topic, table) and returns whether it created something; `thing` names it.
    """

    name: str
    thing: str
    address: str
    attempts: int
    prepare: Callable[[], bool]


class Pipeline(Struct, frozen=True):
    """An open pipeline. `watch` is called after each turn of its loop, and never waits."""

    source: RecordSource
    ingest: Ingest
    watch: Callable[[], None]


class ServiceEvents(Protocol):
    """Receives the events around the pipeline, and knows whether the table is missing."""

    def connect_failed(self, side: str, error: TryAgainLater) -> None:
        """An attempt to connect to Kafka or ClickHouse failed; `side` is "kafka" or "clickhouse"."""

    def closed(self) -> None:
        """The pipeline is closed."""

    @property
    def missing_table(self) -> TableMissing | None:
        """The error if the table is missing and must be created again."""


class Service:
    """Runs the pipeline on a thread of its own, of which `run` is the body. See `Component`."""

    def __init__(
        self,
        sides: list[Side],
        open_pipeline: Callable[[], Pipeline],
        health: Health,
        events: ServiceEvents,
        *,
        backoff: Backoff,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = "ingest"
        self.health = health
        self._sides = sides
        self._open_pipeline = open_pipeline
        self._events = events
        self._backoff = backoff
        self._clock = clock
        self._stop = threading.Event()
        self._stop_at = 0.0
        self._thread = threading.Thread(target=self.run, name=self.name, daemon=True)

    def start(self) -> None:
        """See `Component`."""
        self._thread.start()

    def join(self, timeout_secs: float) -> None:
        """See `Component`."""
        self._thread.join(timeout_secs)

    def stop(self) -> None:
        """Request `run` to end within STOP_SECS. Safe from any thread and from a signal handler."""
        if not self._stop.is_set():
            self._stop_at = self._clock() + STOP_SECS
            self._stop.set()

    def run(self) -> None:
        """Work until stopped. An unexpected error is logged, and the pipeline restarts from the committed offsets."""
        crashes = 0
        while not self._stop.is_set():
            try:
                self._run_once()
            except _Stopping:
                return
            except TableMissing as error:
                _log.warning("Reopening the pipeline to create the table again: %s", error)
            except MustRejoin as error:
                _log.warning("Rejoining the group: %s", error)
                self.health.report("kafka", str(error))
            except Exception:
                crashes += 1
                # Nothing is lost: what was not committed is read again. Exiting instead would remove the reason from
                # /health, and a supervisor would do no more than this.
                _log.exception("The pipeline failed unexpectedly; it starts again")
                self.health.report("pipeline", "failed unexpectedly; see the log")
                self._stop.wait(self._backoff.delay_secs(crashes))

    def _run_once(self) -> None:
        for side in self._sides:
            self._connect_to(side)
        pipeline = self._retry("kafka", "Kafka", 1, self._open_pipeline)
        self.health.report("pipeline", None)
        _log.info("Consuming")
        try:
            while not self._stop.is_set():
                self._turn(pipeline)
            self._leave(pipeline.ingest)
        except Exception:
            self._wait_for_insert(pipeline.ingest)
            raise
        finally:
            self._events.closed()
            pipeline.source.close(timeout_secs=_LEAVE_SECS)

    def _turn(self, pipeline: Pipeline) -> None:
        pipeline.ingest.step()
        pipeline.watch()
        if self._events.missing_table is not None:
            raise self._events.missing_table

    def _leave(self, ingest: Ingest) -> None:
        _log.info("Stopping: storing what was read")
        if ingest.drain(self._stop_at - _LEAVE_SECS):
            _log.info("Stopped: everything read is stored and committed")
        else:
            _log.info("Stopped: records that are not committed will be read again")

    def _wait_for_insert(self, ingest: Ingest) -> None:
        """Wait for the insert in flight while there is time, so that the next owner need not wait it out."""
        while not ingest.abandon(_ABANDON_SECS):
            self.health.turned()
            if self._stop.is_set() and self._clock() >= self._stop_at - _LEAVE_SECS:
                return

    def _connect_to(self, side: Side) -> None:
        was_made = self._retry(side.name, f"{side.name} at {side.address}", side.attempts, side.prepare)
        _log.info(
            "%s at %s: %s %s",
            side.name,
            side.address,
            side.thing,
            "created" if was_made else "already exists",
        )
        self.health.report(side.name.lower(), None)

    def _retry(self, name: str, target: str, attempts: int, call: Callable[[], _Result]) -> _Result:
        attempt = 0
        while not self._stop.is_set():
            self.health.turned()
            attempt += 1
            try:
                return call()
            except TryAgainLater as error:
                self.health.report(name.lower(), str(error))
                self._events.connect_failed(name.lower(), error)
                if attempt <= attempts:
                    _log.warning("%s: attempt %d/%d failed: %s", target, attempt, attempts, error)
                elif (attempt - attempts) % attempts == 1 or attempts == 1:
                    _log.error("%s is unavailable after %d attempts; still trying: %s", target, attempt, error)
                self._stop.wait(self._backoff.delay_secs(attempt))
        raise _Stopping


def submit_to_thread(call: Callable[[], _Result]) -> "Future[_Result]":
    """Run a call on its own daemon thread: one that hangs in an insert must not keep the process from exiting."""
    future: Future[_Result] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # the waiting side decides
            future.set_exception(error)

    threading.Thread(target=work, name="delivery", daemon=True).start()
    return future
