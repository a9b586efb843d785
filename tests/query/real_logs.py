"""Events such as services send them: a few hundred, with the odd texts that people search for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

Sent = dict[str, Any]

_JAVA: Final = (
    "java.io.IOException: No space left on device\n"
    "\tat sun.nio.ch.FileDispatcherImpl.write0(Native Method)\n"
    "\tat com.shop.checkout.OrderWriter.flush(OrderWriter.java:118)\n"
    "Caused by: java.nio.file.FileSystemException: /var/lib/orders: No space left on device"
)
_PYTHON: Final = (
    "Traceback (most recent call last):\n"
    '  File "/srv/app/worker.py", line 42, in run\n'
    "    self.charge(order)\n"
    "ValueError: invalid literal for int() with base 10: '12a'"
)
_UUID: Final = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
_TRACE: Final = "0af7651916cd43dd8448eb211c80319c"

_MESSAGES: Final = (
    # Words and their neighbours.
    *("timeout", "timeouts are rare", "TIMEOUT waiting for lock", "Timeout: card declined", "timed out"),
    *(
        "card declined after timeout",
        "declined card",
        "the card was declined",
        "declined by user",
        "read timeout=30s",
        "mytimeout fired",
    ),
    *("payment-service restarted", "payment_service restarted", "payment service restarted", "prepayment-service up"),
    *("rock and roll", "this or that", "page not found", "wait AND see", "connection refused", "Connection reset"),
    *("user logged in", "user logged out", "will retry", "will not retry", "retry 3/5", "gave up after 5 retries"),
    # Addresses, URLs and paths.
    *("cannot reach 10.0.0.1:443", "cannot reach 110.0.0.1:443", "cannot reach 10.0.0.1:4431", "10.0.0.12 is slow"),
    *("broker localhost:9092 refused", "broker localhost:9093 is up", "localhost is slow", "port 9092 is taken"),
    *("no route to fe80::1", "no route to fe80::12", "listening on [::1]:8080", "peer 2001:db8:0:1::17 closed"),
    *("GET https://shop.example/api failed", "GET https://shop.example/apis failed", "see http://shop.example/api"),
    *("GET /api/v1/pay?id=1&x=2 HTTP/1.1", "GET /api/v1/pay HTTP/1.1", "GET /api/v2/pay HTTP/1.1", "api v1 pay"),
    *("open C:\\temp\\orders.log", "open D:\\temp\\orders.log", "cannot write /var/log/app.log", "cannot read app_log"),
    *("mail to user@example.com", "mail to admin@example.com", "name=Jane;role=admin", "host db-1.internal is down"),
    # Numbers, times and ids.
    *(
        "at 10:15:30 it began",
        "at 10:15:31 it ended",
        "since 2026-11-23",
        "due 2026-11-24T08:00:00Z",
        "took 35ms",
        "time: 5 ms left",
    ),
    *("time=35ms path=/r1", "-5 degrees", "5 degrees", "1,000 items", "1000 items", "pi is 3.14", "pi is 3.141"),
    *(
        "100% done",
        "100 percent",
        "discount of $9.99",
        "issue #42 closed",
        "call +49 170 1234567",
        "release v1.2.3-rc1",
    ),
    *("release v1.2.3", "0xDEADBEEF is no address", "commit 7c0626e", f"request {_UUID} ended", "status 500", "500 ms"),
    # Characters of other languages, of programs, and of this one.
    *(
        "user=5&x=1",
        "user=51",
        'level=error msg="disk full"',
        "status=500 in a text",
        "a->b",
        "a -> b",
        "key => value",
        "a<b",
        "5 > 3",
    ),
    *('{"a":1,"b":[2]}', "<html> in JSON", "SELECT * FROM orders WHERE id = 5", "it's over", 'said "hello" and left'),
    *("x ? y : z", "what?", "wild * card", "wildcard", "a|b or c", "50%_off", "a_b", "a b", "~/.bashrc", "f(x) = y"),
    *(
        "C++ is old",
        "C# is new",
        "[ERROR] in brackets",
        "WARNING in words",
        "tab\there",
        "two\nlines",
        "semi;colon",
        "a List<> of logs",
    ),
    *(
        "list a,b,c",
        "ends with a dot.",
        "... three dots",
        "-- two dashes",
        "no\\slash",
        "back`tick",
        "(in parentheses)",
    ),
    *(
        "Ärger mit der Straße",
        "ärger again",
        "İstanbul is far",
        "istanbul is near",
        "数据库连接超时",
        "数据库 连接 超时",
    ),
    *(
        "naïve café",
        "naive cafe",
        "cafe\u0301 in two parts",
        "😀 done",
        "Привет, мир",
        "привет, мир",
        "non\u00a0breaking",
    ),
    *("null", "nothing is null here", "None of these", "true", "TO be", "NaN"),
)
"""The messages of logs that have nothing else."""

_OTHERS: Final[tuple[Sent, ...]] = (
    {"message": _JAVA, "service": "checkout", "level": "error", "attributes": {"exception": {"type": "IOException"}}},
    {"message": _PYTHON, "service": "Billing", "level": "err", "attributes": {"exception": {"type": "ValueError"}}},
    {"message": "NullPointerException: null", "service": "checkout", "level": "ERROR", "host": "db-1.internal"},
    {"message": "out of memory", "service": "billing", "level": "critical", "host": "DB-1.internal"},
    {"message": "", "service": "empty", "level": "debug"},
    {"message": "login by root", "service": "audit", "level": "Audit", "user_id": "root"},
    {"message": "no level at all", "service": "audit", "level": ""},
    # Services whose names are easily confused.
    *(
        {"message": "started", "service": name, "level": "notice", "response_time_ms": 1000 + number}
        for number, name in enumerate(
            (
                *("svc-01", "svc-02", "svc-1", "svc", "SVC-01", "auth.api", "auth_api", "order service", "Ärzte"),
                *("a,b", "a:b", "web", "WEB", "web-2", "website", "O'Neill", "50%", "50_", "AND"),
            )
        )
    ),
    # Attributes of every form.
    {"message": "v4", "attributes": {"client": {"ip": "10.1.2.3"}, "http": {"status_code": 500, "method": "GET"}}},
    {"message": "v4", "attributes": {"client": {"ip": "110.1.2.3"}, "http": {"status_code": 503, "method": "get"}}},
    {"message": "v4", "attributes": {"client": {"ip": "172.20.0.9"}, "http": {"status_code": "404", "method": "PUT"}}},
    {"message": "v4", "attributes": {"client": {"ip": "192.168.7.1"}, "http": {"status_code": 599.5}}},
    {"message": "v4", "attributes": {"client": {"ip": "192.168.70.1"}, "http": {"status_code": "unknown"}}},
    {"message": "v6", "attributes": {"client": {"ip": "fe80::1"}, "peer": "10.0.0.1:443"}},
    {"message": "v6", "attributes": {"client": {"ip": "2001:db8::17"}, "peer": "[::1]:8080"}},
    {"message": "numbers", "attributes": {"queue": {"size": -3}, "ratio": 0.75, "amount": "1e3", "code": "00501"}},
    {"message": "numbers", "attributes": {"queue": {"size": 0}, "ratio": "0.5", "amount": "1000", "code": "501"}},
    {"message": "numbers", "attributes": {"queue": {"size": 12}, "ratio": -12.5, "amount": "12 MB", "code": "5O1"}},
    {"message": "numbers", "attributes": {"queue": {"size": "many"}, "ratio": "1", "amount": "999", "code": "x501"}},
    {
        "message": "odd values",
        "attributes": {"path": "C:\\temp", "pattern": "50%_off", "title": 'say "hi"', "tag": "a,b"},
    },
    {"message": "odd values", "attributes": {"path": "C:/temp", "pattern": "50 off", "title": "say hi", "tag": "a"}},
    {"message": "odd values", "attributes": {"path": "/etc/*", "pattern": "50%", "title": "it's", "tag": "b"}},
    {"message": "odd values", "attributes": {"path": "/etc/hosts", "title": "two words", "tag": "a|b", "null": "null"}},
    {
        "message": "odd values",
        "attributes": {"path": "x\\y", "title": "(x)", "tag": "", "ok": True, "when": "10:15:30"},
    },
    {"message": "odd values", "attributes": {"title": "😀", "ok": False, "when": "10:15:31", "city": "Köln"}},
    {"message": "odd values", "attributes": {"title": "AND", "ok": "TRUE", "url": "https://shop.example/api?id=1"}},
    {"message": "odd names", "attributes": {"two words": "x", "a:b": "colon", "ключ": "значение", "service": "web"}},
    {"message": "odd names", "attributes": {"x-request-id": _UUID, "Region": "EU-West", "@tag": "x", "a/b": "slash"}},
    {"message": "odd names", "attributes": {"k8s": {"pod": {"name": "web-7f9c"}}, "version": "1.10.0", "region2": "x"}},
    {"message": "odd names", "attributes": {"k8s": {"pod": {"name": "web-8a1b"}}, "version": "1.1.0", "level": "5"}},
    {"message": "odd names", "attributes": {"message": "within", "path(x)": "p", "100%": "done", "a*": "star"}},
    # Users, traces and times.
    {"message": "user", "user_id": "123", "trace_id": _TRACE, "span_id": "b7ad6b7169203331", "response_time_ms": 0.1},
    {"message": "user", "user_id": "0123", "trace_id": _UUID, "response_time_ms": 0.25},
    {"message": "user", "user_id": "u-77", "trace_id": _TRACE.upper(), "response_time_ms": 999.5},
    {"message": "user", "user_id": "-123", "trace_id": _TRACE[:16], "response_time_ms": 0},
    {"message": "user", "user_id": "jane@example.com", "response_time_ms": 1e6},
)

_ROUTES: Final = ("/api/v1/pay", "/api/v1/cart", "/api/v2/pay", "/health")
_SERVICES: Final = ("checkout", "payment-service", "Payment-Service", "search", "gateway")
_LEVELS: Final = ("info", "INFO", "debug", "warn", "Warning", "ERROR", "info", "trace", "info", "fatal", "error")
_STATUSES: Final = (200, "201", 204, 301, 404, "429", 500, 502, 200, 200, 200, 503, 200)
_TEXTS: Final = ("{route} took {ms} ms", "order {n} paid", "Payment declined: card {n}", "cache miss for key-{n}", "ok")


def real_logs() -> list[Sent]:
    """The events, always the same."""
    odd = [{"service": "notes", "level": "info", "message": message} for message in _MESSAGES]
    others = [{"service": "notes", "level": "info", **event} for event in _OTHERS]
    return [*odd, *others, *_traffic(180)]


def _traffic(count: int) -> Iterator[Sent]:
    """Requests: the lengths of the lists have no common divisor, so that many combinations occur."""
    for n in range(count):
        route, ms = _ROUTES[n % 4], n * 7.5
        yield {
            "service": _SERVICES[n % 5],
            "level": _LEVELS[n % 11],
            "message": _TEXTS[n % 9 % 5].format(route=route, ms=ms, n=n),
            "host": f"host-{n % 3}",
            "user_id": str(n % 29),
            "response_time_ms": ms,
            "attributes": {"http": {"route": route, "status_code": _STATUSES[n % 13]}},
        }
