"""Values with which the Helm chart is not installed, and what Helm says then."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.chart import PARTS, refusal, with_needed
from tests.support.chart_values import INGRESS, NEEDED


def test_values_that_are_wrong_by_themselves_are_all_named() -> None:
    values = {
        "image": {"digest": "sha256:12", "repository": "ghcr.io/example/log-analytics:1.2"},
        "layout": "split",
        "settings": {"BATCH_MAX_ROW": 5, "BATCH_MAX_ROWS": 0},
        "secrets": {"CLICKHOUSE_PASSWORD": "x", "KAFKA_SASL_PASSWORD": {"secret": "s"}},
        "files": {"KAFKA_SSL_CA_FILE": {"key": "k"}},
        "ingest": {"replica": 3, "settings": {"CLICKHOUSE_PASSWORD": "x"}},
        "receive": {"settings": {"ROLES": "query"}},
        "query": {
            "settings": {"LOG_LEVEL": "loud", "HTTP_HOST": "127.0.0.1"},
            "ingress": {"host": "https://a.example"},
        },
        "terminationGracePeriodSeconds": 10,
        "networkPolicy": {"from": [{"cidr": "10.0.0.0/8"}]},
    }
    said = refusal(with_needed(values))

    problems = re.findall(r"^(?:- |  )*at '(.*?)': (.*)$", said, re.MULTILINE)
    expected = {
        "/image/digest": "'sha256:12' does not match pattern '^(sha256:[0-9a-f]{64})?$'",
        "/image/repository": "'ghcr.io/example/log-analytics:1.2' does not match pattern",
        "/query/settings": "additional properties 'HTTP_HOST' not allowed",
        "/query/ingress/host": "'https://a.example' does not match pattern",
        "/layout": "value must be one of 'roles', 'one'",
        "/settings": "additional properties 'BATCH_MAX_ROW' not allowed",
        "/ingest/settings": "additional properties 'CLICKHOUSE_PASSWORD' not allowed",
        "/receive/settings": "additional properties 'ROLES' not allowed",
        "/settings/BATCH_MAX_ROWS": "minimum: got 0, want 1",
        "/secrets/CLICKHOUSE_PASSWORD": "got string, want object",
        "/secrets/KAFKA_SASL_PASSWORD": "missing property 'key'",
        "/ingest": "additional properties 'replica' not allowed",
        "/query/settings/LOG_LEVEL": "value must be one of 'debug', 'info', 'warning', 'error'",
        "/terminationGracePeriodSeconds": "minimum: got 10, want 20",
        "/networkPolicy/from/0": "additional properties 'cidr' not allowed",
    }
    assert {path: dict(problems).get(path, "")[: len(words)] for path, words in expected.items()} == expected
    assert "/files/KAFKA_SSL_CA_FILE" in dict(problems)  # a Secret or a ConfigMap is missing


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {
                "image": {"repository": ""},
                "settings": {"KAFKA_BOOTSTRAP_SERVERS": "", "CLICKHOUSE_URL": ""},
                "query": {"ingress": {**INGRESS, "host": ""}},
                "receive": {"autoscaling": {"enabled": True, "minReplicas": 9}},
                "keda": {"enabled": True, "minReplicas": 5},
                "ingest": {"enabled": False},
            },
            [
                "image.repository is not set",
                "keda.prometheus is not set",
                "keda.minReplicas is 5, more than maxReplicas, 4",
                "keda.enabled is true, and ingest is disabled",
                "settings.KAFKA_BOOTSTRAP_SERVERS is not set",
                "settings.CLICKHOUSE_URL is not set",
                "query.ingress.host is not set",
                "settings.HTTP_TRUSTED_PROXIES is not set, and query.ingress is enabled",
                "receive.autoscaling.minReplicas is 9, more than maxReplicas, 6",
            ],
        ),
        (
            {
                "settings": {"HTTP_TRUSTED_PROXIES": "10.8.0.0/14"},
                "query": {"ingress": INGRESS},
                "receive": {"ingress": INGRESS, "settings": {"SYSLOG_PORT": 8080}},
            },
            [
                "query.ingress.host and receive.ingress.host are the same",
                "the port 8080 for syslog is taken",
            ],
        ),
        ({part: {"enabled": False} for part in PARTS}, ["ingest, query and receive are all disabled"]),
    ],
)
def test_values_that_do_not_work_together_are_all_named(values: dict[str, Any], said: list[str]) -> None:
    refused = refusal(with_needed(values))

    assert [sentence for sentence in said if sentence not in refused] == []


def test_secrets_that_are_needed_are_all_named() -> None:
    refused = refusal({**NEEDED, "secrets": {}, "files": {}})

    assert refused.count("nothing says who may read logs") == 1
    assert "secrets.RECEIVE_KEY is not set" in refused
    assert "secrets.AUTH_SESSION_KEY is not set, and query may have 2 instances" in refused


def test_a_mode_that_needs_tokens_needs_a_secret_with_them() -> None:
    assert "settings.AUTH_MODE is token, and there are none" in refusal(
        {**NEEDED, "settings": {**NEEDED["settings"], "AUTH_MODE": "token"}, "files": {}}
    )


def test_one_query_instance_needs_no_key_for_sessions() -> None:
    secrets = {"RECEIVE_KEY": NEEDED["secrets"]["RECEIVE_KEY"]}
    values = {**NEEDED, "secrets": secrets, "query": {"replicas": 1}, "keda": {"enabled": True}}

    assert "AUTH_SESSION_KEY" not in refusal(values)
