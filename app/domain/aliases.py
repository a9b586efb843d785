"""Other names under which JSON events carry what we have a column for. The one table of them."""

# Names after flattening, so "log.level" is also {"log": {"level": ...}}. Compared as they are, case included: a
# name in another spelling may well mean something else, and an unknown name is never lost, only an attribute.
ALIASES = {
    # timestamp
    "ts": "timestamp",
    "time": "timestamp",
    "@timestamp": "timestamp",
    "Timestamp": "timestamp",
    "datetime": "timestamp",
    "asctime": "timestamp",
    "eventTime": "timestamp",
    # message
    "msg": "message",
    "log": "message",
    "body": "message",
    "Body": "message",
    "@message": "message",
    "text": "message",
    "event": "message",
    "@m": "message",
    # level
    "severity": "level",
    "severityText": "level",
    "SeverityText": "level",
    "severity_text": "level",
    "log.level": "level",
    "lvl": "level",
    "loglevel": "level",
    "levelname": "level",
    "level_name": "level",
    "@l": "level",
    # service
    "service.name": "service",
    "serviceName": "service",
    "service_name": "service",
    "ServiceName": "service",
    "app": "service",
    "application": "service",
    # user
    "userId": "user_id",
    "userid": "user_id",
    "user.id": "user_id",
    "enduser.id": "user_id",
    "UserId": "user_id",
    # response time
    "duration_ms": "response_time_ms",
    "durationMs": "response_time_ms",
    "responseTime": "response_time_ms",
    "response_time": "response_time_ms",
    "responseTimeMs": "response_time_ms",
    "ResponseTimeMs": "response_time_ms",
    "latency_ms": "response_time_ms",
    "elapsed_ms": "response_time_ms",
    # trace
    "traceId": "trace_id",
    "trace.id": "trace_id",
    "traceid": "trace_id",
    "TraceId": "trace_id",
    "spanId": "span_id",
    "span.id": "span_id",
    "spanid": "span_id",
    "SpanId": "span_id",
    # host
    "hostname": "host",
    "host.name": "host",
    "HOSTNAME": "host",
}
