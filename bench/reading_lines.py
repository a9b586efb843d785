"""The lines and JSON events of `bench.reading`: layouts that most logs have, and rarer ones. `{ms}` is a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMON: Final[Mapping[str, str]] = {
    "syslog": "Nov 29 10:15:{s} kiln sshd[{n}]: Accepted publickey for baker from 192.0.2.7 port {n}",
    "syslog with PRI": "<38>Nov 29 10:15:{s} kiln sshd[{n}]: Accepted publickey for baker from 192.0.2.7",
    "access log, combined": (
        '192.0.2.7 - - [29/Nov/2026:10:15:{s} +0000] "GET /loaf/{n}?size=2 HTTP/1.1" 200 {n} "-" "Mozilla/5.0 (X11)"'
    ),
    "access log, common": '192.0.2.7 - baker [29/Nov/2026:10:15:{s} +0100] "POST /order HTTP/1.1" 502 {n}',
    "nginx, error": "2026/11/29 10:15:{s} [error] 77#78: *{n} connect() failed (111: Connection refused)",
    "log4j": "2026-11-29 10:15:{s},{ms} INFO  [main] com.example.Oven - batch {n} baked",
    "logback": "10:15:{s}.{ms} [http-nio-8080-exec-1] DEBUG c.example.Oven - batch {n} baked",
    "Spring Boot": "2026-11-29T10:15:{s}.{ms}Z  INFO 77 --- [main] com.example.Oven  : batch {n} baked",
    "Python logging": "2026-11-29 10:15:{s},{ms} - bakery.oven - WARNING - batch {n} is late",
    "Python, levels first": "WARNING:bakery.oven:batch {n} is late",
    "logfmt": 'time="2026-11-29T10:15:{s}Z" level=info msg="batch baked" batch={n}',
    "Go": "2026/11/29 10:15:{s} main.go:77: batch {n} baked",
    "klog": "I1129 10:15:{s}.{ms}000   77 oven.go:12] batch {n} baked",
    "zap, console": '2026-11-29T10:15:{s}.{ms}Z\tinfo\toven/oven.go:12\tbatch baked\t{{"batch": {n}}}',
    "Kafka": "[2026-11-29 10:15:{s},{ms}] INFO [Broker id=1] Handled {n} requests (state.change.logger)",
    "PostgreSQL": "2026-11-29 10:15:{s}.{ms} UTC [77] LOG:  duration: {n} ms",
    "MySQL": "2026-11-29T10:15:{s}.{ms}000Z {n} [Warning] [MY-010068] [Server] CA certificate is self signed.",
    "Redis": "77:M 29 Nov 2026 10:15:{s}.{ms} * DB saved on disk {n}",
    "Rust, env_logger": "[2026-11-29T10:15:{s}Z INFO  bakery::oven] batch {n} baked",
    "Docker Compose": "web-1  | 2026-11-29 10:15:{s} INFO batch {n} baked",
    "an ISO time and words": "2026-11-29T10:15:{s}.{ms}Z batch {n} baked in the upper oven",
    "words": "batch {n} baked in the upper oven, the lower one is cold",
}
"""Layouts of lines that most logs have."""

RARE: Final[Mapping[str, str]] = {
    "RFC 5424": '<38>1 2026-11-29T10:15:{s}.{ms}Z kiln bakery 77 ID47 [bake@32473 batch="{n}"] batch baked',
    "CRI": "2026-11-29T10:15:{s}.{ms}000000Z stdout F batch {n} baked",
    "CRI around log4j": "2026-11-29T10:15:{s}.{ms}000000Z stdout F 2026-11-29 10:15:{s},{ms} INFO [main] a.Oven - {n}",
    "CRI around JSON": '2026-11-29T10:15:{s}.{ms}000000Z stderr F {{"level":"warn","msg":"batch {n} is late"}}',
    "syslog around JSON": '<38>Nov 29 10:15:{s} kiln bakery[77]: {{"level":"warn","msg":"batch {n} is late"}}',
    "CEF": "CEF:0|Example|Oven|1.0|100|door opened|5|src=192.0.2.7 cnt={n} rt=1795947301000",
    "Cisco": "<166>Nov 29 2026 10:15:{s} kiln : %ASA-6-302013: Built outbound TCP connection {n} for outside",
    "US date": "11/29/2026 10:15:{s} AM ERROR batch {n} is burnt",
    "German date": "29.11.2026 10:15:{s},{ms} FEHLER batch {n} ist verbrannt",
    "time at the end of a header": "ERROR [worker-{n}] kiln (2026-11-29 10:15:{s}.{ms} +0100) batch is burnt",
    "HAProxy": (
        "Nov 29 10:15:{s} kiln haproxy[77]: 192.0.2.7:{n} [29/Nov/2026:10:15:{s}.{ms}] web app/a 0/0/1/5/6 200 612 - - "
        '---- 1/1/0/0/0 0/0 "GET /loaf HTTP/1.1"'
    ),
    "logcat": "11-29 10:15:{s}.{ms}  1234  {n} E ActivityManager: ANR in com.example",
    "stack trace": (
        "2026-11-29 10:15:{s},{ms} ERROR [main] com.example.Oven - batch {n} is burnt\njava.lang.Heat: 400\n"
        "\tat com.example.Oven.bake(Oven.java:12)\n\tat com.example.Main.main(Main.java:7)"
    ),
}
"""Rarer layouts, and carriers around common ones."""

EVENTS: Final[Mapping[str, str]] = {
    "pino": (
        '{{"level":30,"time":1795947301{ms},"pid":77,"hostname":"kiln","msg":"baked","req":{{"id":{n},"url":"/x"}}}}'
    ),
    "zap": '{{"level":"info","ts":1795947301.{ms},"caller":"oven/oven.go:12","msg":"batch baked","batch":{n}}}',
    "slog": '{{"time":"2026-11-29T10:15:{s}.{ms}Z","level":"INFO","msg":"batch baked","batch":{n}}}',
    "ECS": (
        '{{"@timestamp":"2026-11-29T10:15:{s}.{ms}Z","log.level":"INFO","message":"batch {n} baked",'
        '"service.name":"bakery","log.logger":"com.example.Oven"}}'
    ),
    "ECS, nested": (
        '{{"@timestamp":"2026-11-29T10:15:{s}.{ms}Z","log":{{"level":"INFO","logger":"a.Oven"}},'
        '"message":"batch {n} baked","service":{{"name":"bakery"}}}}'
    ),
    "logstash": (
        '{{"@timestamp":"2026-11-29T10:15:{s}.{ms}Z","@version":"1","message":"batch {n} baked","logger_name":"a.Oven",'
        '"thread_name":"main","level":"INFO","level_value":20000}}'
    ),
    "structlog": '{{"event":"batch baked","level":"info","timestamp":"2026-11-29T10:15:{s}.{ms}Z","batch":{n}}}',
    "Docker json-file": (
        '{{"log":"2026-11-29 10:15:{s},{ms} INFO a.Oven: batch {n} baked\\n","stream":"stdout",'
        '"time":"2026-11-29T10:15:{s}.{ms}Z"}}'
    ),
}
"""JSON as loggers and agents write it."""


def written(template: str, number: int) -> bytes:
    """The event of a number."""
    return template.format(n=10_000 + number % 50_000, s=f"{number // 1000 % 60:02}", ms=f"{number % 1000:03}").encode()
