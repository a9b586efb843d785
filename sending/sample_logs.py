"""Plausible logs of a web shop: many services, regular users, traces, slow responses, occasional incidents."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sending.sample_shop import ROUTES, SERVICES, Route, Service

REGULAR_USER = "123"

_Thing = TypeVar("_Thing")

_INCIDENT_EVERY_SECS = 300
_INCIDENT_SLOWNESS = 8.0
_INCIDENT_ERROR_RATE = 0.35
_SLOW_ERROR_RATE = 0.2
_USER_ERROR_RATE = 0.03
_IDLE_SHARE = 0.3
_EXTRA_SHARE = 0.1
_DEBUG_SHARE = 0.15

# Random draws are prepared in tables, so that an event costs microseconds. 4096 entries, indexed by 12 random bits.
_TABLE_BITS = 12
_TABLE_SIZE = 1 << _TABLE_BITS

_REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "ap-south-1")
_VERSIONS = ("2.3.1", "2.4.0")
_SERVER_ERRORS = (500, 502, 503, 504)
_USER_ERRORS = (400, 401, 404, 409, 422)

# Keys that are in no schema: a real topic always has some.
_EXTRAS = (',"build":%d', ',"retry":%d', ',"tenant":"t-%d"', ',"queue_depth":%d', ',"cache":{"node":%d,"hit":true}')


@dataclass(frozen=True, slots=True)
class Incident:
    """An interval in which one service is slow and fails often. Unix seconds; the end is exclusive."""

    service: str
    start: float
    end: float


class SampleLogs:
    """An endless stream of JSON log events, each stamped with the clock's time when it is generated.

    The same seed and the same times from `clock` (Unix seconds) give the same bytes. Not safe to share between threads.
    """

    def __init__(self, seed: int | None = None, clock: Callable[[], float] = time.time) -> None:
        self._chance = random.Random(seed)
        self._clock = clock
        self._incident_seed = self._chance.getrandbits(64)
        self._incident = Incident("", 0.0, 0.0)
        self._incidents_known_until = float("-inf")
        self._users = _user_table(self._chance)
        voices = {service.name: _Voice(service, self._chance) for service in SERVICES}
        self._idlers = [voices[service.name] for service in SERVICES if service.idle]
        paths = [_Path(route, voices, self._chance) for route in ROUTES]
        self._paths = _weighted_table(paths, [route.weight for route in ROUTES], self._chance)
        self._stamp = _Timestamps().rfc3339
        self._events = self._all_events()

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def __next__(self) -> bytes:
        return next(self._events)

    def incident(self, at: float) -> Incident:
        """The incident of the five minutes that contain this time; each five minutes have one."""
        window = int(at // _INCIDENT_EVERY_SECS)
        chance = random.Random(f"{self._incident_seed} {window}")
        start = window * _INCIDENT_EVERY_SECS + chance.uniform(0, 180)
        return Incident(chance.choice(SERVICES).name, start, start + chance.uniform(60, 120))

    def _all_events(self) -> Iterator[bytes]:
        clock, stamp = self._clock, self._stamp
        while True:
            for event in self._next_events():
                yield f'{{"timestamp":"{stamp(clock())}",{event}}}'.encode()

    def _next_events(self) -> Sequence[str]:
        if self._chance.random() < _IDLE_SHARE:
            return [self._chance.choice(self._idlers).idle_event()]
        return self._request()

    def _request(self) -> list[str]:
        """The events of all services that take part in one request; the last is that of the service facing the user."""
        bits = self._chance.getrandbits
        path = self._paths[bits(_TABLE_BITS)]
        user = self._users[bits(_TABLE_BITS)]
        trace = f',"trace_id":"{bits(128):032x}"'
        troubled = self._troubled_service()
        events: list[str] = []
        total_ms, has_failed = 0.0, False
        for voice in path.inner:
            ms, has_failed = voice.work(voice.name == troubled)
            total_ms += ms
            events.append(voice.inner_event(ms, has_failed, user, trace))
            if has_failed:
                break
        own_ms, outer_fails = path.outer.work(path.outer.name == troubled)
        events.append(path.outer_event(total_ms + own_ms, has_failed or outer_fails, user, trace))
        return events

    def _troubled_service(self) -> str | None:
        now = self._clock()
        if now >= self._incidents_known_until:
            self._incident = self.incident(now)
            self._incidents_known_until = (now // _INCIDENT_EVERY_SECS + 1) * _INCIDENT_EVERY_SECS
        return self._incident.service if self._incident.start <= now < self._incident.end else None


class _Voice:
    """One service: its response times, its error rate, and its messages."""

    def __init__(self, service: Service, chance: random.Random) -> None:
        self.name = service.name
        self.successes, self.failures, self._idle = service.done, service.failed, service.idle
        self._error_rate = service.error_rate
        self._chance = chance
        self._slow_ms = service.median_ms * 4
        self._times_ms = [
            round(service.median_ms * chance.lognormvariate(0, service.spread), 1) for _ in range(_TABLE_SIZE)
        ]
        self._hosts = [f',"host":"{service.name.partition("-")[0]}-{n}"' for n in range(chance.randint(2, 6))]

    def work(self, is_troubled: bool) -> tuple[float, bool]:
        """The duration of one piece of work in milliseconds, and whether it fails."""
        ms = self._times_ms[self._chance.getrandbits(_TABLE_BITS)]
        error_rate = self._error_rate
        if is_troubled:
            ms, error_rate = ms * _INCIDENT_SLOWNESS, _INCIDENT_ERROR_RATE
        elif ms > self._slow_ms:
            error_rate = _SLOW_ERROR_RATE
        has_failed = self._chance.random() < error_rate
        return (ms * 3 if has_failed else ms), has_failed

    def inner_event(self, ms: float, has_failed: bool, user: str, trace: str) -> str:
        chance = self._chance
        if has_failed:
            level, messages = "ERROR", self.failures
        elif ms > self._slow_ms:
            level, messages = "WARN", self.successes
        else:
            level, messages = ("DEBUG" if chance.random() < _DEBUG_SHARE else "INFO"), self.successes
        span = f',"span_id":"{chance.getrandbits(64):016x}"' if has_failed else ""
        return f'{self.say(level, messages)}{user},"response_time_ms":{ms:.1f}{trace}{span}{self.host()}{self.extra()}'

    def idle_event(self) -> str:
        level = "DEBUG" if self._chance.random() < 0.5 else "INFO"
        return f"{self.say(level, self._idle)}{self.host()}{self.extra()}"

    def say(self, level: str, messages: Sequence[str]) -> str:
        bits = self._chance.getrandbits
        message = messages[bits(8) % len(messages)] % bits(16)
        return f'"service":"{self.name}","level":"{level}","message":"{message}"'

    def host(self) -> str:
        return self._hosts[self._chance.getrandbits(8) % len(self._hosts)]

    def extra(self) -> str:
        if self._chance.random() >= _EXTRA_SHARE:
            return ""
        return self._chance.choice(_EXTRAS) % self._chance.getrandbits(6)


class _Path:
    """One route with its services and its attributes as JSON."""

    def __init__(self, route: Route, voices: Mapping[str, _Voice], chance: random.Random) -> None:
        self.outer, *self.inner = (voices[name] for name in route.services)
        self._chance = chance
        self._success = 201 if route.method == "POST" else 200
        request = f',"attributes":{{"http.method":"{route.method}","http.route":"{route.path}",'
        origins = [f'"region":"{region}","version":"{version}",' for region in _REGIONS for version in _VERSIONS]
        self._attributes = [f'{request}{origin}"http.status_code":' for origin in (*origins, *[""] * len(origins))]

    def outer_event(self, ms: float, has_failed: bool, user: str, trace: str) -> str:
        """The outer service's event, with the status that the user saw."""
        chance, voice = self._chance, self.outer
        if has_failed:
            level, status, messages = "ERROR", chance.choice(_SERVER_ERRORS), voice.failures
        elif chance.random() < _USER_ERROR_RATE:
            level, status, messages = "WARN", chance.choice(_USER_ERRORS), voice.successes
        else:
            level, status, messages = "INFO", self._success, voice.successes
        attributes = self._attributes[chance.getrandbits(8) % len(self._attributes)]
        return (
            f'{voice.say(level, messages)}{user},"response_time_ms":{ms:.1f}{trace}{voice.host()}'
            f"{attributes}{status}}}{voice.extra()}"
        )


class _Timestamps:
    """Formats times as RFC 3339; caches the part that is the same within a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def rfc3339(self, unix_secs: float) -> str:
        second = int(unix_secs)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._text}.{int((unix_secs - second) * 1000):03d}Z"


def _user_table(chance: random.Random) -> list[str]:
    """Users as fragments of JSON. A few are frequent, REGULAR_USER among them, and thousands are rare."""
    regulars = [REGULAR_USER, *(str(chance.randint(1000, 9999)) for _ in range(49))]
    visitors = [str(chance.randint(10_000, 99_999)) for _ in range(_TABLE_SIZE)]
    weights = [1 / rank for rank in range(1, 51)] + [0.01] * len(visitors)
    users = _weighted_table([*regulars, *visitors], weights, chance)
    return [f',"user_id":"{user}"' for user in users]


def _weighted_table(things: Sequence[_Thing], weights: Sequence[float], chance: random.Random) -> list[_Thing]:
    return chance.choices(things, weights, k=_TABLE_SIZE)
