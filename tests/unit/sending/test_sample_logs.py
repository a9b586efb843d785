"""The generator of sample logs."""

import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from statistics import mean
from typing import Any

import pytest

from sending.sample_logs import REGULAR_USER, SampleLogs
from sending.sample_shop import SERVICES

START = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
EVENTS = 60_000


class Clock:
    """A clock that advances a little with every call."""

    def __init__(self, now: float, step_secs: float = 0.005) -> None:
        self.now = now
        self._step_secs = step_secs

    def __call__(self) -> float:
        self.now += self._step_secs
        return self.now


@cache
def sample() -> list[dict[str, Any]]:
    return [json.loads(event) for event in islice(SampleLogs(7, Clock(START)), EVENTS)]


def test_the_same_seed_and_clock_give_the_same_bytes() -> None:
    first, second = (list(islice(SampleLogs(1, Clock(START)), 500)) for _ in range(2))

    assert first == second


def test_another_seed_gives_other_events() -> None:
    first, second = (list(islice(SampleLogs(seed, lambda: START), 50)) for seed in (1, 2))

    assert first != second


def test_every_event_is_a_json_object_on_one_line() -> None:
    for event in islice(SampleLogs(3, lambda: START), 5_000):
        assert b"\n" not in event
        assert {"timestamp", "service", "level", "message", "host"} <= json.loads(event).keys()


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (START, "2026-03-01T12:00:00.000Z"),
        (START + 0.25, "2026-03-01T12:00:00.250Z"),
        (START + 59.9375, "2026-03-01T12:00:59.937Z"),
    ],
)
def test_an_event_carries_the_time_of_the_clock_in_milliseconds(now: float, text: str) -> None:
    assert json.loads(next(SampleLogs(1, lambda: now)))["timestamp"] == text


def test_times_never_go_back() -> None:
    times = [event["timestamp"] for event in sample()]

    assert times == sorted(times)


def test_events_are_about_240_bytes_long() -> None:
    sizes = [len(event) for event in islice(SampleLogs(5, lambda: START), 20_000)]

    assert 225 < mean(sizes) < 265


def test_every_service_logs() -> None:
    assert {event["service"] for event in sample()} == {service.name for service in SERVICES}
    assert len(SERVICES) == 20


def test_most_events_are_harmless_and_some_are_errors() -> None:
    shares = {level: n / EVENTS for level, n in Counter(event["level"] for event in sample()).items()}

    assert shares.keys() == {"DEBUG", "INFO", "WARN", "ERROR"}
    assert 0.7 < shares["INFO"] < 0.9
    assert 0.05 < shares["DEBUG"] < 0.25
    assert 0.005 < shares["WARN"] < 0.05
    assert 0.005 < shares["ERROR"] < 0.05


def test_the_regular_user_is_the_most_frequent_of_many() -> None:
    users = Counter(event["user_id"] for event in sample() if "user_id" in event)

    assert users.most_common(1)[0][0] == REGULAR_USER == "123"
    assert users["123"] > 500
    assert len(users) > 1_000


def test_payment_service_has_errors_to_count() -> None:
    errors = [event for event in sample() if event["service"] == "payment-service" and event["level"] == "ERROR"]

    assert len(errors) > 10


def test_services_differ_in_their_response_times() -> None:
    times = defaultdict(list)
    for event in sample():
        if "response_time_ms" in event:
            times[event["service"]].append(event["response_time_ms"])

    assert mean(times["payment-service"]) > 5 * mean(times["session-service"])


def test_the_events_of_a_trace_come_from_several_services_and_have_one_user() -> None:
    traces = defaultdict(list)
    for event in sample():
        if "trace_id" in event:
            traces[event["trace_id"]].append(event)

    whole = list(traces.values())[:-1]  # the last one may be cut off
    assert all(re.fullmatch("[0-9a-f]{32}", trace_id) for trace_id in traces)
    assert all(len({event["user_id"] for event in events}) == 1 for events in whole)
    assert all(len({event["service"] for event in events}) == len(events) for events in whole)
    assert max(len(events) for events in whole) == 6


def test_the_gateway_reports_the_status_that_fits_the_level() -> None:
    by_level = defaultdict(set)
    for event in sample():
        if "attributes" in event:
            by_level[event["level"]].add(event["attributes"]["http.status_code"])

    assert by_level["INFO"] == {200, 201}
    assert by_level["WARN"] == {400, 401, 404, 409, 422}
    assert by_level["ERROR"] == {500, 502, 503, 504}


def test_failed_requests_are_slower() -> None:
    times: dict[str, list[float]] = {"ERROR": [], "INFO": []}
    for event in sample():
        if event["service"] == "api-gateway" and event["level"] in times and "response_time_ms" in event:
            times[event["level"]].append(event["response_time_ms"])

    assert mean(times["ERROR"]) > 2 * mean(times["INFO"])


def test_some_events_have_keys_that_no_schema_knows() -> None:
    known = {"timestamp", "service", "level", "message", "user_id", "response_time_ms", "trace_id", "span_id", "host"}
    unknown = Counter(key for event in sample() for key in event.keys() - known - {"attributes"})

    assert unknown.keys() == {"build", "retry", "tenant", "queue_depth", "cache"}
    assert 0.05 < unknown.total() / EVENTS < 0.15


def test_there_is_an_incident_in_every_five_minutes() -> None:
    logs = SampleLogs(11, lambda: START)

    for minute in range(60):
        at = START + minute * 60
        window = at // 300 * 300
        incident = logs.incident(at)
        assert window <= incident.start < incident.end <= window + 300
        assert timedelta(minutes=1) <= timedelta(seconds=incident.end - incident.start) <= timedelta(minutes=2)


def test_an_incident_raises_errors_and_response_times_of_its_service() -> None:
    seed = next(seed for seed in range(1000) if SampleLogs(seed).incident(START).service == "payment-service")
    incident = SampleLogs(seed).incident(START)

    calm = _payments(seed, incident.end + 0.001)
    troubled = _payments(seed, incident.start)

    assert _error_rate(calm) < 0.1
    assert _error_rate(troubled) > 0.25
    assert mean(event["response_time_ms"] for event in troubled) > 4 * mean(event["response_time_ms"] for event in calm)


def _payments(seed: int, at: float) -> list[dict[str, Any]]:
    events = (json.loads(event) for event in islice(SampleLogs(seed, lambda: at), 20_000))
    return [event for event in events if event["service"] == "payment-service" and "response_time_ms" in event]


def _error_rate(events: list[dict[str, Any]]) -> float:
    assert len(events) > 200
    errors = [event for event in events if event["level"] == "ERROR"]
    return len(errors) / len(events)
