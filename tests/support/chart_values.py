"""Values of the Helm chart for tests: the least, one that chooses everything, and one deployment with all roles."""

from __future__ import annotations

from typing import Any, Final

# The least that an installation needs.
NEEDED: Final[dict[str, Any]] = {
    "image": {"repository": "ghcr.io/example/log-analytics"},
    "settings": {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "CLICKHOUSE_URL": "http://clickhouse:8123"},
    "secrets": {
        "RECEIVE_KEY": {"secret": "log-analytics", "key": "receive-key"},
        "AUTH_SESSION_KEY": {"secret": "log-analytics", "key": "session-key"},
    },
    "files": {"AUTH_TOKENS_FILE": {"secret": "log-analytics-tokens", "key": "tokens"}},
}

MONITORING: Final[dict[str, Any]] = {
    "podMonitor": {"enabled": True, "labels": {"release": "p"}},
    "rules": {"enabled": True},
}
INGRESS: Final[dict[str, Any]] = {
    "enabled": True,
    "className": "nginx",
    "host": "logs.example.org",
    "tlsSecret": "logs-tls",
}
# Every value that adds something.
ROLES: Final[dict[str, Any]] = {
    "image": {"digest": f"sha256:{'0' * 64}", "pullSecrets": ["registry"]},
    "settings": {
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": "log-analytics",
        "CLICKHOUSE_READER_USER": "reader",
        "HTTP_TRUSTED_PROXIES": "10.8.0.0/14",
        "BATCH_MAX_BYTES": 12582912,
        "BATCH_MAX_AGE_SECS": 0.5,
        "LEVELS_FROM_STATUS": True,
    },
    "secrets": {
        "KAFKA_SASL_PASSWORD": {"secret": "kafka", "key": "password"},
        "CLICKHOUSE_PASSWORD": {"secret": "clickhouse", "key": "password"},
        "CLICKHOUSE_READER_PASSWORD": {"secret": "clickhouse", "key": "reader"},
    },
    "files": {"KAFKA_SSL_CA_FILE": {"secret": "kafka-ca", "key": "ca.crt"}},
    "ingest": {
        "settings": {"BATCH_MAX_ROWS": 50000, "LEVELS_FROM_STATUS": False},
        "tolerations": [{"key": "logs", "operator": "Exists"}],
        "nodeSelector": {"pool": "logs"},
        "podAnnotations": {"note": "1"},
        "priorityClassName": "high",
    },
    "query": {"autoscaling": {"enabled": True}, "ingress": INGRESS},
    "receive": {
        "autoscaling": {"enabled": True, "maxReplicas": 9},
        "ingress": {**INGRESS, "host": "ingest.example.org", "annotations": {"a": "b"}},
        "settings": {"SYSLOG_PORT": 5514, "SYSLOG_UDP_PORT": 5514, "SYSLOG_ALLOWED_NETWORKS": "10.0.0.0/8"},
        "syslog": {"serviceType": "LoadBalancer"},
    },
    "serviceAccount": {"annotations": {"iam.gke.io/gcp-service-account": "logs@example.iam.gserviceaccount.com"}},
    "networkPolicy": {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}],
        "metricsFrom": [{"namespaceSelector": {}}],
        "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    },
    "monitoring": {"podMonitor": {"enabled": True, "labels": {"release": "p"}}, "rules": {"enabled": True}},
    "keda": {"enabled": True, "maxReplicas": 8, "prometheus": "http://prometheus:9090", "authentication": "bearer"},
}
ONE: Final[dict[str, Any]] = {
    "layout": "one",
    "settings": {"HTTP_TRUSTED_PROXIES": "10.8.0.0/14"},
    "files": {"CLICKHOUSE_CA_FILE": {"configMap": "ca", "key": "ca.crt"}},
    "all": {"ingress": INGRESS},
    "serviceAccount": {"create": False, "name": "mine"},
    "networkPolicy": {"enabled": False},
}
CHOICES: Final[dict[str, dict[str, Any]]] = {"the least": {}, "roles": ROLES, "one": ONE}
