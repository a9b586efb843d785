"""OpenTelemetry's SDKs, over OTLP/HTTP as protobuf and as JSON."""

from __future__ import annotations

import pytest

from tests.clients.installed import Clients
from tests.clients.stack import Stack

pytestmark = pytest.mark.stack

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

_PYTHON = f"""
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

context = SpanContext(0x{TRACE}, 0x{SPAN}, is_remote=True, trace_flags=TraceFlags(1))
log = logging.getLogger("orders")
log.setLevel(logging.INFO)
with use_span(NonRecordingSpan(context)):
    log.warning("stock of %s is low", "tea", extra={{"item": 42, "python.sdk": True, "parts": ["a", 1]}})
try:
    1 / 0
except ZeroDivisionError:
    log.exception("order failed", extra={{"python.sdk": True}})
for number in range(1000):
    log.info("order %d", number, extra={{"python.sdk": True}})
provider.shutdown()
"""


def test_the_sdk_of_python_with_logging(stack: Stack, clients: Clients) -> None:
    clients.python(stack.recipe("OpenTelemetry in Python", "python") + _PYTHON)

    rows = stack.rows("LogAttributes['python.sdk'] = 'true'", 1002)
    low, failed, *orders = rows
    assert (low["Body"], low["SeverityText"], low["SeverityNumber"], low["ServiceName"]) == (
        "stock of tea is low",
        "WARN",
        13,
        "shop",
    )
    assert (low["TraceId"], low["SpanId"], low["ParseError"]) == (TRACE, SPAN, "")
    assert low["ResourceAttributes"]["telemetry.sdk.language"] == "python"
    attributes = low["LogAttributes"]
    assert (attributes["item"], attributes["parts"], attributes["otel.scope.name"]) == ("42", '["a",1]', "orders")
    assert (attributes["trace_flags"], attributes["log.receiver.name"]) == ("1", "otlp")
    assert (failed["SeverityText"], failed["LogAttributes"]["exception.type"]) == ("ERROR", "ZeroDivisionError")
    assert "1 / 0" in failed["LogAttributes"]["exception.stacktrace"]
    assert [row["Body"] for row in orders] == [f"order {number}" for number in range(1000)]


_NODE = """
import { ROOT_CONTEXT, SeverityNumber, trace } from "@opentelemetry/api";

const context = trace.setSpanContext(ROOT_CONTEXT, { traceId: "TRACE", spanId: "SPAN", traceFlags: 1 });
logger.emit({
  context,
  severityNumber: SeverityNumber.ERROR2,
  severityText: "ERROR",
  body: { order: 7, "node.sdk": true },
  eventName: "order.failed",
  attributes: { "node.sdk": true, big: Number.MAX_SAFE_INTEGER, ratio: 0.5, tags: ["a", "b"],
    data: new Uint8Array([255]) },
});
for (let number = 0; number < 500; number += 1)
  logger.emit({ severityNumber: SeverityNumber.INFO, body: `order ${number}`, attributes: { "node.sdk": true } });
await provider.shutdown();
"""


def test_the_sdk_of_node(stack: Stack, clients: Clients) -> None:
    script = _NODE.replace("TRACE", TRACE).replace("SPAN", SPAN)

    clients.node(stack.recipe("OpenTelemetry in Node.js", "js") + script)

    failed, *orders = stack.rows("LogAttributes['node.sdk'] = 'true'", 501)
    assert (failed["Body"], failed["ServiceName"]) == ('{"order":7,"node.sdk":true}', "shop")
    assert (failed["SeverityText"], failed["SeverityNumber"]) == ("ERROR", 18)
    assert (failed["TraceId"], failed["SpanId"]) == (TRACE, SPAN)
    attributes = failed["LogAttributes"]
    assert (attributes["big"], attributes["ratio"], attributes["tags"]) == (str(2**53 - 1), "0.5", '["a","b"]')
    assert (attributes["data"], attributes["event.name"], attributes["otel.scope.name"]) == (
        "/w==",
        "order.failed",
        "orders",
    )
    assert {row["Body"] for row in orders} == {f"order {number}" for number in range(500)}
