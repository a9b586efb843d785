"""Events as programs write them, from their documentation, and what must be read from them."""

from typing import Any, NamedTuple


class Program(NamedTuple):
    """A record of a program. The time is of the 29th of November 2026, as HH:MM:SS and a fraction, "" for none."""

    record: str
    time: str
    level: str
    body: str
    more: dict[str, str] = {}  # noqa: RUF012 - never changed
    """Further columns and attributes: service, host, trace, span, user, and keys of attributes or of the resource."""


T = "2026-11-29T10:15:01"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

PROGRAMS: dict[str, Program] = {
    "bunyan": Program(
        '{"name":"shop","hostname":"kiln","pid":7,"level":50,"msg":"boom","time":"2026-11-29T10:15:01.123Z","v":0}',
        *("10:15:01.123", "ERROR", "boom", {"service": "shop", "host": "kiln", "pid": "7"}),
    ),
    "pino": Program(
        '{"level":30,"time":1795947301250,"pid":7,"hostname":"kiln","msg":"hello"}',
        *("10:15:01.25", "INFO", "hello", {"host": "kiln"}),
    ),
    "pino without base": Program('{"level":40,"time":1795947301250,"msg":"hello"}', "10:15:01.25", "WARN", "hello"),
    "pino with an error": Program(
        '{"level":60,"time":1795947301250,"pid":7,"hostname":"h","err":{"type":"Error","message":"no","stack":"at x"}}',
        *("10:15:01.25", "FATAL", "no", {"err.message": "no", "err.stack": "at x"}),
    ),
    "winston": Program('{"level":"silly","message":"x","timestamp":"' + T + 'Z"}', "10:15:01", "TRACE", "x"),
    "winston coloured": Program('{"level":"\\u001b[32minfo\\u001b[39m","message":"x"}', "", "INFO", "x"),
    "winston http": Program('{"level":"http","message":"GET /"}', "", "DEBUG", "GET /"),
    "zap production": Program(
        '{"level":"dpanic","ts":1795947301.25,"caller":"a/b.go:12","msg":"zapped","stacktrace":"x"}',
        *("10:15:01.25", "FATAL", "zapped", {"caller": "a/b.go:12"}),
    ),
    "zap development": Program(
        '{"L":"WARN","T":"2026-11-29T10:15:01.000Z","N":"lg","C":"b.go:1","M":"zapped"}', "10:15:01", "WARN", "zapped"
    ),
    "zerolog": Program(
        '{"level":"error","error":"boom","time":"' + T + 'Z","message":"failed"}', "10:15:01", "ERROR", "failed"
    ),
    "zerolog without a message": Program('{"level":"error","error":"boom"}', "", "ERROR", "boom", {"error": "boom"}),
    "logrus": Program(
        '{"level":"warning","msg":"walrus","time":"2026-11-29T11:15:01+01:00"}', "10:15:01", "WARN", "walrus"
    ),
    "slog": Program(
        '{"time":"' + T + '.5Z","level":"ERROR+4","msg":"x","n":3}', "10:15:01.5", "ERROR", "x", {"n": "3"}
    ),
    "slog with a source": Program(
        '{"time":"' + T + 'Z","level":"DEBUG-2","source":{"function":"main","line":3},"msg":"x"}',
        "10:15:01",
        "DEBUG",
        "x",
    ),
    "hclog": Program(
        '{"@level":"warn","@message":"low","@module":"vault.core","@timestamp":"' + T + 'Z"}', "10:15:01", "WARN", "low"
    ),
    "log15": Program('{"t":"' + T + 'Z","lvl":"eror","msg":"peer dropped"}', "10:15:01", "ERROR", "peer dropped"),
    "structlog": Program(
        '{"event":"user login","level":"info","timestamp":"' + T + 'Z","user_id":"u1"}',
        *("10:15:01", "INFO", "user login", {"user": "u1"}),
    ),
    "python-json-logger": Program(
        '{"asctime":"2026-11-29 10:15:01,250","levelname":"CRITICAL","name":"a.b","message":"m","taskName":null}',
        *("10:15:01.25", "FATAL", "m", {"name": "a.b"}),
    ),
    "Python's numbers": Program('{"message":"m","levelno":40,"lineno":7}', "", "ERROR", "m"),
    "a name beside Python's number": Program('{"message":"m","level":40,"levelname":"WARNING"}', "", "WARN", "m"),
    "loguru": Program(
        '{"text":"10:15 | ERROR | m\\n","record":{"level":{"icon":"x","name":"ERROR","no":40},"message":"m",'
        '"name":"app","time":{"repr":"2026-11-29 10:15:01.5+00:00","timestamp":1795947301.5}}}',
        *("10:15:01.5", "ERROR", "m"),
    ),
    "Log4j 2 JsonLayout": Program(
        '{"instant":{"epochSecond":1795947301,"nanoOfSecond":5000000},"thread":"main","level":"FATAL",'
        '"loggerName":"a.B","message":"m","endOfBatch":false,"loggerFqcn":"x","contextMap":{"traceId":"'
        + TRACE
        + '"}}',
        *("10:15:01.005", "FATAL", "m", {"trace": TRACE, "loggerName": "a.B"}),
    ),
    "Log4j 2 intLevel": Program('{"level":200,"message":"m","loggerFqcn":"x"}', "", "ERROR", "m"),
    "Log4j 2 JsonTemplateLayout, ECS": Program(
        '{"@timestamp":"' + T + '.006Z","ecs.version":"1.2.0","log.level":"ERROR","message":"Hello, error!",'
        '"process.thread.name":"main","log.logger":"org.a.B"}',
        *("10:15:01.006", "ERROR", "Hello, error!", {"log.logger": "org.a.B"}),
    ),
    "Log4j 2 JsonTemplateLayout, Google": Program(
        '{"timestamp":"' + T + 'Z","severity":"WARNING","message":"m","logging.googleapis.com/trace_sampled":true,'
        '"logging.googleapis.com/trace":"projects/p/traces/'
        + TRACE
        + '","logging.googleapis.com/spanId":"'
        + SPAN
        + '"}',
        *("10:15:01", "WARN", "m", {"trace": TRACE, "span": SPAN}),
    ),
    "Logstash encoder": Program(
        '{"@timestamp":"2026-11-29T11:15:01.5+01:00","@version":"1","message":"m","logger_name":"a.B",'
        '"thread_name":"main","level":"INFO","level_value":20000}',
        *("10:15:01.5", "INFO", "m", {"level_value": "20000"}),
    ),
    "Logstash encoder, number alone": Program('{"message":"m","level_value":40000}', "", "ERROR", "m"),
    "Quarkus": Program(
        '{"timestamp":"' + T + 'Z","sequence":3,"loggerClassName":"org.jboss.L","loggerName":"a","level":"SEVERE",'
        '"message":"m","mdc":{"traceId":"' + TRACE + '","spanId":"' + SPAN + '"},"hostName":"kiln"}',
        *("10:15:01", "ERROR", "m", {"trace": TRACE, "span": SPAN, "host": "kiln"}),
    ),
    "java.util.logging": Program('{"millis":1,"level":900,"message":"m","sourceMethodName":"x"}', "", "WARN", "m"),
    "Spring Boot, ECS": Program(
        '{"@timestamp":"' + T + 'Z","log":{"level":"DEBUG","logger":"a"},"process":{"pid":3},"service":{"name":"pay"},'
        '"message":"m","ecs":{"version":"8.11"}}',
        *("10:15:01", "DEBUG", "m", {"service": "pay", "process.pid": "3"}),
    ),
    "Serilog compact": Program(
        '{"@t":"' + T + '.85Z","@mt":"Order {Id} by {User} took {Elapsed:000} ms","@l":"Warning","Id":7,"User":"al",'
        '"Elapsed":34,"@r":["034"],"@tr":"' + TRACE + '","@sp":"' + SPAN + '"}',
        *("10:15:01.85", "WARN", "Order 7 by al took 034 ms", {"trace": TRACE, "span": SPAN, "Id": "7"}),
    ),
    "Serilog compact with braces": Program(
        '{"@t":"' + T + 'Z","@mt":"{{x}} {Gone} {@Who}","Who":{"Name":"al"}}',
        "10:15:01",
        "",
        '{x} {Gone} {"Name":"al"}',
    ),
    "Serilog rendered": Program(
        '{"@t":"' + T + 'Z","@m":"Hello","@i":"1","@x":"Ex: y"}', "10:15:01", "", "Hello", {"@x": "Ex: y"}
    ),
    "Serilog JsonFormatter": Program(
        '{"Timestamp":"2026-11-29T11:15:01.0000000+01:00","Level":"Fatal","MessageTemplate":"Hi {Name}",'
        '"Properties":{"Name":"al"}}',
        *("10:15:01", "FATAL", "Hi al", {"Properties.Name": "al"}),
    ),
    "NLog": Program('{"time":"2026-11-29 10:15:01.2500","level":"ERROR","message":"m"}', "10:15:01.25", "ERROR", "m"),
    ".NET JSON console": Program(
        '{"Timestamp":"' + T + 'Z","EventId":0,"LogLevel":"Critical","Category":"A.B","Message":"m",'
        '"State":{"Message":"m","{OriginalFormat}":"m"}}',
        *("10:15:01", "FATAL", "m", {"Category": "A.B"}),
    ),
    ".NET number": Program('{"LogLevel":3,"Message":"m","EventId":1}', "", "WARN", "m"),
    "Monolog": Program(
        '{"message":"m","context":{"id":1},"level":250,"channel":"app","datetime":"' + T + '.5+00:00","extra":[]}',
        *("10:15:01.5", "INFO", "m", {"context.id": "1"}),
    ),
    "Monolog, emergency": Program(
        '{"message":"m","level":600,"level_name":"EMERGENCY","channel":"c","datetime":"' + T + 'Z"}',
        "10:15:01",
        "FATAL",
        "m",
    ),
    "Laravel": Program(
        '{"message":"m","context":{"userId":7},"level":550,"level_name":"ALERT","channel":"local","datetime":"2026-11-29T'
        '11:15:01.5+01:00","extra":{}}',
        *("10:15:01.5", "FATAL", "m", {"channel": "local"}),
    ),
    "Nextcloud": Program(
        '{"reqId":"r","level":3,"time":"2026-11-29T10:15:01+00:00","user":"--","app":"core","message":"m"}',
        *("10:15:01", "ERROR", "m", {"service": "core"}),
    ),
    "lograge": Program(
        '{"method":"GET","path":"/","controller":"home","status":200,"duration":58.33}',
        *("", "INFO", "method=GET path=/ controller=home status=200 duration=58.33", {"status": "200"}),
    ),
    "semantic_logger": Program(
        '{"host":"kiln","application":"shop","timestamp":"'
        + T
        + 'Z","level":"warn","level_index":3,"pid":4,"message":"m"}',
        *("10:15:01", "WARN", "m", {"service": "shop", "host": "kiln"}),
    ),
    "LoggerJSON": Program(
        '{"time":"' + T + 'Z","severity":"notice","message":"m","metadata":{"trace_id":"' + TRACE + '"}}',
        "10:15:01",
        "INFO",
        "m",
        {"trace": TRACE},
    ),
    "Rust tracing": Program(
        '{"timestamp":"' + T + 'Z","level":"TRACE","fields":{"message":"shaving","yaks":3},"target":"app"}',
        *("10:15:01", "TRACE", "shaving", {"fields.yaks": "3"}),
    ),
    "MongoDB": Program(
        '{"t":{"$date":"2026-11-29T11:15:01.401+01:00"},"s":"D2","c":"NETWORK","id":1,"ctx":"main","msg":"m"}',
        *("10:15:01.401", "DEBUG", "m", {"c": "NETWORK"}),
    ),
    "Caddy": Program(
        '{"level":"error","ts":1795947301.5,"logger":"http.log","msg":"handled","request":{"host":"a"},"status":500}',
        *("10:15:01.5", "ERROR", "handled", {"request.host": "a"}),
    ),
    "Traefik": Program(
        '{"StartUTC":"' + T + '.5Z","RequestMethod":"GET","level":"info","msg":"","time":"' + T + 'Z"}',
        *("10:15:01", "INFO", "StartUTC=" + T + ".5Z RequestMethod=GET level=info msg= time=" + T + "Z"),
    ),
    "Envoy": Program(
        '{"start_time":"' + T + '.5Z","method":"GET","response_code":503,"x_b3_traceid":"' + TRACE + '"}',
        *(
            "10:15:01.5",
            "ERROR",
            f"start_time={T}.5Z method=GET response_code=503 x_b3_traceid={TRACE}",
            {"trace": TRACE},
        ),
    ),
    "nginx": Program(
        '{"time_iso8601":"2026-11-29T11:15:01+01:00","request":"GET / HTTP/1.1","status":"502"}',
        *("10:15:01", "ERROR", "time_iso8601=2026-11-29T11:15:01+01:00 request=GET / HTTP/1.1 status=502"),
    ),
    "Lambda": Program(
        '{"timestamp":"' + T + 'Z","level":"INFO","requestId":"r","message":"m"}', "10:15:01", "INFO", "m"
    ),
    "Lambda, structured message": Program('{"level":"WARN","message":{"a":["b c"]}}', "", "WARN", '{"a":["b c"]}'),
    "Lambda platform": Program(
        '{"time":"' + T + 'Z","type":"platform.start","record":{"requestId":"r"}}',
        *("10:15:01", "", f"time={T}Z type=platform.start record.requestId=r"),
    ),
    "CloudTrail": Program(
        '{"Records":[{"eventVersion":"1.08","eventTime":"' + T + 'Z","eventName":"StopInstances","awsRegion":"eu"}]}',
        *("10:15:01", "", f"eventVersion=1.08 eventTime={T}Z eventName=StopInstances awsRegion=eu"),
    ),
    "WAF": Program(
        '{"timestamp":1795947301250,"formatVersion":1,"action":"BLOCK","httpRequest":{"clientIp":"192.0.2.1"}}',
        *("10:15:01.25", "", "timestamp=1795947301250 formatVersion=1 action=BLOCK httpRequest.clientIp=192.0.2.1"),
    ),
    "CloudWatch": Program(
        '{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/g","logStream":"s","subscriptionFilters":[],'
        '"logEvents":[{"id":"9","timestamp":1795947301250,"message":"ERROR: boom\\n"}]}',
        *("10:15:01.25", "ERROR", "ERROR: boom", {"aws.log.group.names": "/g", "aws.log.stream.names": "s"}),
    ),
    "Cloud Run": Program(
        '{"severity":"ERROR","message":"m","time":"' + T + 'Z","httpRequest":{"status":500}}', "10:15:01", "ERROR", "m"
    ),
    "Cloud Logging, timestampSeconds": Program(
        '{"severity":"INFO","message":"m","timestamp":{"seconds":1795947301,"nanos":7}}',
        "10:15:01.000000007",
        "INFO",
        "m",
    ),
    "Cloud Logging, JSON payload": Program(
        '{"insertId":"i","jsonPayload":{"message":"m","level":"error"},"severity":"INFO","timestamp":"' + T + 'Z",'
        '"resource":{"type":"k8s_container","labels":{"namespace_name":"ns","pod_name":"p","container_name":"web"}},'
        '"spanId":"' + SPAN + '"}',
        *("10:15:01", "ERROR", "m", {"service": "web", "k8s.pod.name": "p", "k8s.namespace.name": "ns", "span": SPAN}),
    ),
    "Cloud Logging, audit": Program(
        '{"protoPayload":{"methodName":"v1.insert"},"severity":"NOTICE","timestamp":"' + T + 'Z","logName":"l"}',
        *("10:15:01", "INFO", "methodName=v1.insert", {"logName": "l"}),
    ),
    "Cloud Logging, number": Program('{"textPayload":"m","severity":500}', "", "ERROR", "m"),
    "Azure": Program(
        '{"records":[{"time":"' + T + 'Z","category":"Audit","operationName":"op","level":"Informational"}]}',
        *("10:15:01", "INFO", f"time={T}Z category=Audit operationName=op level=Informational"),
    ),
    "Windows": Program('{"EventID":7,"Channel":"System","Level":2,"Message":"m"}', "", "ERROR", "m"),
    "Windows, Get-WinEvent": Program(
        '{"Id":7,"LogName":"System","Level":2,"LevelDisplayName":"Fehler","Message":"m"}',
        *("", "ERROR", "m", {"Id": "7", "LogName": "System", "LevelDisplayName": "Fehler"}),
    ),
    "Kubernetes audit": Program(
        '{"kind":"Event","auditID":"a","stage":"ResponseComplete","level":"Metadata","verb":"get",'
        '"requestReceivedTimestamp":"' + T + '.5Z"}',
        *(
            "10:15:01.5",
            "",
            f"kind=Event auditID=a stage=ResponseComplete level=Metadata verb=get requestReceivedTimestamp={T}.5Z",
        ),
    ),
    "Falco": Program(
        '{"output":"A shell","priority":"Warning","rule":"Terminal","time":"' + T + '.5Z","output_fields":{"a":1}}',
        *("10:15:01.5", "WARN", "A shell", {"rule": "Terminal"}),
    ),
    "Suricata": Program(
        '{"timestamp":"2026-11-29T11:15:01.5+0100","event_type":"dns","src_ip":"192.0.2.1"}',
        *("10:15:01.5", "", "timestamp=2026-11-29T11:15:01.5+0100 event_type=dns src_ip=192.0.2.1"),
    ),
    "Zeek": Program(
        '{"ts":1795947301.5,"uid":"C","id.orig_h":"192.0.2.1"}',
        "10:15:01.5",
        "",
        "ts=1795947301.5 uid=C id.orig_h=192.0.2.1",
    ),
    "Vault audit": Program(
        '{"time":"' + T + '.5Z","type":"request","request":{"path":"sys"}}',
        "10:15:01.5",
        "",
        f"time={T}.5Z type=request request.path=sys",
    ),
    "PostgreSQL": Program(
        '{"timestamp":"2026-11-29 10:15:01.123 UTC","pid":1,"error_severity":"LOG","message":"m"}',
        "10:15:01.123",
        "INFO",
        "m",
    ),
    "MySQL": Program(
        '{"prio":2,"err_code":10,"subsystem":"Server","msg":"m","time":"' + T + '.5Z","err_symbol":"E"}',
        "10:15:01.5",
        "WARN",
        "m",
    ),
    "MySQL with a label": Program('{"prio":0,"err_code":1,"msg":"m","label":"System"}', "", "INFO", "m"),
    "Elasticsearch": Program(
        '{"type":"server","timestamp":"2026-11-29T10:15:01,500Z","level":"WARN","component":"o.e.C","message":"m"}',
        *("10:15:01.5", "WARN", "m", {"component": "o.e.C"}),
    ),
    "Cloudflare": Program(
        '{"EdgeStartTimestamp":1795947301250000000,"RayID":"r"}',
        "10:15:01.25",
        "",
        "EdgeStartTimestamp=1795947301250000000 RayID=r",
    ),
    "Fastly": Program(
        '{"timestamp":"2026-11-29T11:15:01+0100","url":"/a b"}',
        "10:15:01",
        "",
        "timestamp=2026-11-29T11:15:01+0100 url=/a b",
    ),
    "Auth0": Program(
        '{"log_id":"1","data":{"date":"' + T + '.5Z","type":"f","description":"Wrong password"}}',
        "10:15:01.5",
        "",
        "Wrong password",
    ),
    "GitHub audit": Program(
        '{"@timestamp":1795947301250,"action":"repo.create","actor":"al"}',
        "10:15:01.25",
        "",
        "@timestamp=1795947301250 action=repo.create actor=al",
    ),
    "systemd": Program(
        '{"__REALTIME_TIMESTAMP":"1795947301500000","PRIORITY":"6","_HOSTNAME":"kiln","_PID":"9","_SYSTEMD_UNIT":"x.service",'
        '"SYSLOG_IDENTIFIER":"app","MESSAGE":"level=error msg=\\"inner words\\""}',
        *(
            "10:15:01.5",
            "ERROR",
            'level=error msg="inner words"',
            {"host": "kiln", "service": "app", "process.pid": "9"},
        ),
    ),
    "systemd, bytes": Program('{"PRIORITY":"4","_HOSTNAME":"h","MESSAGE":[104,105,255]}', "", "WARN", "hi\ufffd"),
    "Docker": Program(
        '{"log":"plain words\\n","stream":"stdout","time":"' + T + '.5Z"}',
        "10:15:01.5",
        "",
        "plain words",
        {"log.iostream": "stdout"},
    ),
    "Docker, inner time without a zone, two hours ahead": Program(
        '{"log":"2026-11-29 12:15:01,123 ERROR com.x.Pay - failed\\n","stream":"stderr","time":"' + T + '.5Z"}',
        *("10:15:01.123", "ERROR", "2026-11-29 12:15:01,123 ERROR com.x.Pay - failed"),
    ),
    "Docker, inner time of another hour": Program(
        '{"log":"{\\"time\\":\\"2026-11-29 09:52:01\\",\\"msg\\":\\"m\\"}","stream":"stderr","time":"' + T + '.5Z"}',
        *("10:15:01.5", "", "m", {"original_timestamp": "2026-11-29 09:52:01"}),
    ),
    "Docker, inner time with a zone": Program(
        '{"log":"{\\"time\\":\\"2026-11-29T09:15:01Z\\",\\"msg\\":\\"m\\"}","stream":"stderr","time":"' + T + '.5Z"}',
        *("09:15:01", "", "m", {"observed_timestamp": T + ".5Z"}),
    ),
    "Fluent Bit on Kubernetes": Program(
        '{"@timestamp":"'
        + T
        + '.5Z","log":"{\\"level\\":\\"warn\\",\\"msg\\":\\"m\\"}","stream":"stdout","logtag":"F",'
        '"kubernetes":{"pod_name":"web-1","namespace_name":"shop","container_name":"c","host":"node-1",'
        '"labels":{"app.kubernetes.io/name":"web","app":"other"},"docker_id":"d"}}',
        "10:15:01.5",
        "WARN",
        "m",
        {
            **{"service": "web", "k8s.pod.name": "web-1", "k8s.namespace.name": "shop", "k8s.container.name": "c"},
            **{"k8s.node.name": "node-1", "container.id": "d", "k8s.pod.label.app": "other", "log.iostream": "stdout"},
        },
    ),
    "Fluentd's Docker driver": Program(
        '{"container_id":"c1","container_name":"/web","source":"stderr","log":"ERROR: x"}',
        *("", "ERROR", "ERROR: x", {"service": "web", "container.id": "c1", "log.iostream": "stderr"}),
    ),
    "Vector": Program(
        '{"file":"/var/log/x","kubernetes":{"pod_name":"p","pod_labels":{"app":"web"}},"message":"WARN: x",'
        '"source_type":"kubernetes_logs","stream":"stderr","timestamp":"' + T + '.5Z"}',
        *("10:15:01.5", "WARN", "WARN: x", {"service": "web", "k8s.pod.name": "p", "log.iostream": "stderr"}),
    ),
    "Filebeat": Program(
        '{"@timestamp":"'
        + T
        + '.5Z","message":"{\\"level\\":\\"error\\",\\"msg\\":\\"m\\"}","agent":{"type":"filebeat"},'
        '"host":{"name":"kiln"},"container":{"id":"c"},"kubernetes":{"pod":{"name":"p"},"labels":{"app":"web"}}}',
        *("10:15:01.5", "ERROR", "m", {"service": "web", "host": "kiln", "k8s.pod.name": "p", "container.id": "c"}),
    ),
    "Filebeat, a level already": Program(
        '{"@timestamp":"' + T + 'Z","message":"ERROR: no","agent":{"type":"filebeat"},"log":{"level":"info"}}',
        *("10:15:01", "INFO", "ERROR: no"),
    ),
    "GELF": Program(
        '{"version":"1.1","host":"kiln","short_message":"m","level":4,"timestamp":1795947301.5,"_user_id":9,"_x":"y"}',
        *("10:15:01.5", "WARN", "m", {"host": "kiln", "user": "9", "x": "y"}),
    ),
    "GELF of Docker": Program(
        '{"version":"1.1","host":"kiln","short_message":"{\\"msg\\":\\"m\\",\\"level\\":\\"error\\"}","level":6,'
        '"timestamp":1795947301.5,"_container_id":"c","_container_name":"web"}',
        *("10:15:01.5", "ERROR", "m", {"service": "web", "container.id": "c", "container.name": "web"}),
    ),
    "Datadog": Program(
        '{"message":"m","status":"error","ddsource":"nodejs","service":"web","dd.trace_id":"8448337775085322083",'
        '"dd.span_id":"16"}',
        "",
        "ERROR",
        "m",
        {"service": "web", "trace": f"{8448337775085322083:032x}", "span": "0000000000000010"},
    ),
    "New Relic": Program(
        '{"timestamp":1795947301250,"message":"m","log.level":"WARN","entity.name":"web","trace.id":"'
        + TRACE.upper()
        + '"}',
        "10:15:01.25",
        "WARN",
        "m",
        {"service": "web", "trace": TRACE},
    ),
    "Splunk's collector": Program(
        '{"time":1795947301.5,"host":"kiln","sourcetype":"s","event":{"message":"m","severity":"ERROR"}}',
        "10:15:01.5",
        "ERROR",
        "m",
        {"host": "kiln"},
    ),
    "Loki": Program(
        '{"streams":[{"stream":{"app":"web"},"values":[["1795947301500000000","level=warn msg=x"]]}]}',
        "10:15:01.5",
        "WARN",
        "level=warn msg=x",
        {"service": "web"},
    ),
    "Kafka Connect": Program('{"schema":{"type":"string"},"payload":"ERROR: x"}', "", "ERROR", "ERROR: x"),
    "VictoriaLogs": Program('{"_msg":"m","_time":"' + T + '.5Z","level":"info"}', "10:15:01.5", "INFO", "m"),
    "OTLP": Program(
        '{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pay"}},'
        '{"key":"host.name","value":{"stringValue":"kiln"}},{"key":"k8s.pod.name","value":{"stringValue":"p"}}]},'
        '"scopeLogs":[{"scope":{"name":"lib","version":"1"},"logRecords":[{"timeUnixNano":"1795947301500000000",'
        '"severityNumber":14,"severityText":"Warn","body":{"kvlistValue":{"values":[{"key":"a","value":{"intValue":'
        '"9007199254740993"}}]}},"attributes":[{"key":"n","value":{"intValue":"7"}},{"key":"l","value":{"arrayValue":'
        '{"values":[{"boolValue":true}]}}}],"traceId":"' + TRACE.upper() + '","spanId":"' + SPAN + '","flags":1}]}]}]}',
        "10:15:01.5",
        "WARN",
        '{"a":9007199254740993}',
        {
            **{"service": "pay", "host": "kiln", "k8s.pod.name": "p", "n": "7", "l": "[true]", "trace_flags": "1"},
            **{"trace": TRACE, "span": SPAN, "otel.scope.name": "lib", "otel.scope.version": "1"},
        },
    ),
    "OTLP, the number alone": Program(
        '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"observedTimeUnixNano":"1795947301500000000",'
        '"severityNumber":"SEVERITY_NUMBER_ERROR2","body":{"stringValue":"m"}}]}]}]}',
        *("10:15:01.5", "ERROR", "m"),
    ),
    "OTLP, a line inside": Program(
        '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795947301500000000",'
        '"body":{"stringValue":"{\\"level\\":\\"fatal\\",\\"msg\\":\\"m\\"}"}}]}]}]}',
        *("10:15:01.5", "FATAL", "m"),
    ),
    "a line in a string in Docker's": Program(
        '{"log":"\\"{\\\\\\"msg\\\\\\":\\\\\\"deep\\\\\\",\\\\\\"level\\\\\\":\\\\\\"error\\\\\\"}\\"","stream":"stdout","time":"'
        + T
        + 'Z"}',
        *("10:15:01", "ERROR", "deep"),
    ),
}


def details_of(row: dict[str, Any]) -> dict[str, str]:
    """The columns and attributes of a row by the names that `Program.more` has."""
    resource = dict(row["ResourceAttributes"])
    columns = {"service": "ServiceName", "trace": "TraceId", "span": "SpanId", "user": "UserId"}
    named = {name: row[column] for name, column in columns.items()}
    return {**resource, **dict(row["LogAttributes"]), **named, "host": resource.get("host.name", "")}
