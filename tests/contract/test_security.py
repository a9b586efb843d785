"""TLS and authentication on both sides: who is accepted, and the errors of those who are not."""

from __future__ import annotations

import base64
import json
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaError

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.reader import ClickHouseReader
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.backends.kafka.errors import code_of
from app.backends.kafka.factory import confluent_client
from app.backends.kafka.fetching_client import FetchingClient
from app.backends.kafka.publisher import KafkaPublisher
from app.backends.kafka.topic import TopicAdmin
from app.domain.statement import Statement
from app.errors import KafkaCode, TryAgainLater
from app.ports import RecordSource
from app.settings import ClickHouseSettings, KafkaSettings, QuerySettings
from local.certificates import Certificates
from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.kafka_security import KafkaSecurity
from local.ports import free_port
from tests.contract.refusals import OPENERS, Refusal, refusals_of
from tests.contract.topics import CLIENTS, LIBRDKAFKA, Client, fetcher_of, open_quiet_source, setting_of
from tests.support.deliveries import Deliveries
from tests.support.sample_rows import sample_rows

pytestmark = pytest.mark.stack

USER, PASSWORD, WRONG_PASSWORD = "alice", "open-sesame", "open-barley"
TIMEOUT_SECS = 20
LOOPBACK_BY_A_NAME_IN_NO_CERTIFICATE = "127.1"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.create(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of an authority that neither side trusts."""
    return Certificates.create(tmp_path_factory.mktemp("strangers"))


# Kafka.


@pytest.fixture(scope="module")
def guarded_kafka(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[KafkaServer]:
    """A broker with TLS and SASL that accepts optional client certificates."""
    security = KafkaSecurity(certificates, free_port(), free_port(), {USER: PASSWORD})
    asks = {"listener.name.ssl.ssl.client.auth": "requested"}
    server = KafkaServer(tmp_path_factory.mktemp("kafka"), free_port(), security=security, properties=asks)
    server.start()
    yield server
    server.stop()


MakeSettings = Callable[..., KafkaSettings]


@pytest.fixture(scope="module")
def make_settings(
    guarded_kafka: KafkaServer, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> MakeSettings:
    """Creates valid settings for a new topic, with or without SASL, with the given changes."""

    def make(mechanism: str | None, **others: Any) -> KafkaSettings:
        security, name = guarded_kafka.security, f"security-{uuid.uuid4().hex[:12]}"
        given: dict[str, Any] = {"topic": name, "group_id": name, "ssl_ca_file": certificates.ca_file}
        if mechanism is None:
            given |= {"security_protocol": "SSL", "bootstrap_servers": security.ssl_bootstrap_servers}
        else:
            given |= {"security_protocol": "SASL_SSL", "bootstrap_servers": security.sasl_ssl_bootstrap_servers}
            given |= {"sasl_mechanism": mechanism, "sasl_username": USER, "sasl_password": PASSWORD}
        if mechanism == "OAUTHBEARER":
            given["sasl_oauth_token_file"] = tmp_path_factory.mktemp("oauth") / "token"
            given["sasl_oauth_token_file"].write_text(unsecured_token())
        return KafkaSettings.model_validate(given | others)

    return make


def unsecured_token() -> str:
    """A token for the local broker: unsigned claims."""
    now = time.time()
    parts = ({"alg": "none"}, {"sub": USER, "iat": now, "exp": now + 600})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def of_a_client(certificates: Certificates) -> dict[str, Path]:
    """Settings with a client certificate."""
    return {"ssl_cert_file": certificates.certificate_file, "ssl_key_file": certificates.key_file}


def values_sent_and_read(settings: KafkaSettings) -> list[bytes | None]:
    """Values that each client reads from a topic that the service's own clients created and filled."""
    with closing(TopicAdmin(settings)) as admin:
        admin.ensure()
        publisher = KafkaPublisher(settings)
        deliveries = Deliveries()
        publisher.publish(b"a log", wait_secs=TIMEOUT_SECS, on_delivery=deliveries)
        assert deliveries.wait_for(1) == [None]
        publisher.close(timeout_secs=5)
        return [value for client in CLIENTS for value in values_read(settings, client)]


def values_read(settings: KafkaSettings, client: Client) -> list[bytes | None]:
    """The values of the first chunk that this client reads."""
    theirs = {"client": setting_of(client), "group_id": f"{settings.group_id}-{client}"}
    source = open_quiet_source(settings.model_copy(update=theirs), fetcher_of(client))
    try:
        return first_values(source)
    finally:
        source.close(timeout_secs=5)


def first_values(source: RecordSource) -> list[bytes | None]:
    deadline = time.monotonic() + TIMEOUT_SECS
    while time.monotonic() < deadline:
        polled = source.poll(0.1)
        for partition in polled.assigned or ():
            source.start(partition)
        for chunk in polled.chunks:
            return list(chunk.values)
    raise AssertionError(f"nothing was read within {TIMEOUT_SECS} s")


@pytest.mark.parametrize("mechanism", [None, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_logs_go_through_a_broker_over_tls(make_settings: MakeSettings, mechanism: str | None) -> None:
    assert values_sent_and_read(make_settings(mechanism)) == [b"a log"] * len(CLIENTS)


def test_logs_go_through_a_broker_that_knows_the_certificate_of_its_client(
    make_settings: MakeSettings, certificates: Certificates
) -> None:
    assert values_sent_and_read(make_settings(None, **of_a_client(certificates))) == [b"a log"] * len(CLIENTS)


def test_a_broker_by_a_name_that_is_not_in_its_certificate_is_reached_if_that_is_allowed(
    guarded_kafka: KafkaServer, make_settings: MakeSettings
) -> None:
    servers = f"{LOOPBACK_BY_A_NAME_IN_NO_CERTIFICATE}:{guarded_kafka.security.ssl_port}"

    settings = make_settings(None, bootstrap_servers=servers, ssl_check_hostname=False)

    assert values_sent_and_read(settings) == [b"a log"] * len(CLIENTS)


EXPECTED = {
    "wrong password": "Authentication failed: Invalid username or password",
    "wrong password, SCRAM": "invalid credentials with SASL mechanism SCRAM-SHA-512",
    "unknown authority": "certificate verify failed: unable to get local issuer certificate",
    "other name": f"certificate is not valid for '{LOOPBACK_BY_A_NAME_IN_NO_CERTIFICATE}'",
    "unknown client": "alert certificate unknown",
}


@pytest.fixture(scope="module")
def refusals(
    guarded_kafka: KafkaServer, make_settings: MakeSettings, strangers: Certificates
) -> dict[tuple[str, str], Refusal]:
    """The error of each client for each fault."""
    other_name = f"{LOOPBACK_BY_A_NAME_IN_NO_CERTIFICATE}:{guarded_kafka.security.ssl_port}"
    return refusals_of(
        {
            "wrong password": make_settings("PLAIN", sasl_password=WRONG_PASSWORD),
            "wrong password, SCRAM": make_settings("SCRAM-SHA-512", sasl_password=WRONG_PASSWORD),
            "unknown authority": make_settings(None, ssl_ca_file=strangers.ca_file),
            "other name": make_settings(None, bootstrap_servers=other_name),
            "unknown client": make_settings(None, **of_a_client(strangers)),
        }
    )


@pytest.mark.parametrize("client", OPENERS)
@pytest.mark.parametrize("fault", EXPECTED)
def test_a_client_that_kafka_rejects_gets_the_reason(
    refusals: dict[tuple[str, str], Refusal], fault: str, client: str
) -> None:
    refusal = refusals[fault, client]

    assert EXPECTED[fault] in refusal.said
    assert "\n" not in refusal.said
    assert refusal.secs < TIMEOUT_SECS
    assert WRONG_PASSWORD not in refusal.behind


def take_for_ever(client: FetchingClient) -> None:
    deadline = time.monotonic() + TIMEOUT_SECS
    while time.monotonic() < deadline:
        client.take(10, 0.1, {})


@pytest.mark.parametrize("client", LIBRDKAFKA)
@pytest.mark.parametrize(
    ("fault", "code", "expected"),
    [
        ("wrong password", KafkaCode.NOT_AUTHENTICATED, "Authentication failed: Invalid username or password"),
        ("unknown authority", KafkaCode.UNREACHABLE, "certificate verify failed"),
    ],
)
def test_a_client_that_only_fetches_and_is_rejected_gets_the_reason(
    make_settings: MakeSettings, strangers: Certificates, fault: str, code: KafkaCode, expected: str, client: Client
) -> None:
    """The member of the group that it fetches for is accepted, or there would be nothing to fetch."""
    settings = {
        "wrong password": make_settings("PLAIN", sasl_password=WRONG_PASSWORD),
        "unknown authority": make_settings(None, ssl_ca_file=strangers.ca_file),
    }[fault]
    fetching = confluent_client(settings, metadata_secs=1.0, new_fetcher=fetcher_of(client))
    assert fetching is not None
    fetching.fetch({TopicPartition("logs", 0): 0})

    with closing(fetching), pytest.raises(KafkaError) as raised:
        take_for_ever(fetching)

    assert code_of(raised.value) == code
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


# ClickHouse.


@pytest.fixture(scope="module")
def guarded_engine(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[EngineServer]:
    """A server with HTTPS and a password."""
    directory, port = tmp_path_factory.mktemp("engine"), free_port()
    server = EngineServer(directory, port, user=USER, password=PASSWORD, certificates=certificates)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clickhouse(guarded_engine: EngineServer, certificates: Certificates) -> ClickHouseSettings:
    """Valid settings, for a new table."""
    return ClickHouseSettings.model_validate(
        {
            "url": guarded_engine.url,
            "user": USER,
            "password": PASSWORD,
            "ca_file": certificates.ca_file,
            "table": f"security_{uuid.uuid4().hex[:12]}",
            "retention_days": 3650,
        }
    )


def query(settings: ClickHouseSettings) -> None:
    """Run a query."""
    ClickHouseReader(settings, QuerySettings()).run(Statement("SELECT 1"), timeout_secs=5)


def connect_client(settings: ClickHouseSettings) -> None:
    """Connect as for everything else."""
    connect(settings, timeout_secs=5)


def but(settings: ClickHouseSettings, **others: Any) -> ClickHouseSettings:
    """The settings with some changes."""
    return ClickHouseSettings.model_validate({**settings.model_dump(), **others})


def test_rows_go_to_clickhouse_over_https_with_a_password(clickhouse: ClickHouseSettings) -> None:
    ensure_table(clickhouse)
    writer = ClickHouseWriter(clickhouse)
    writer.insert(sample_rows(3), "a token", writer.now_ms() + 60_000)

    assert writer.missing(sample_rows(4))["_offset"].to_pylist() == [3]


def test_queries_are_sent_over_https_with_a_password(clickhouse: ClickHouseSettings) -> None:
    query(clickhouse)
    query(but(clickhouse, ca_file=None, tls_verify=False))


def test_a_certificate_is_not_verified_if_that_is_disabled(clickhouse: ClickHouseSettings) -> None:
    with pytest.warns(match="certificate verification"):
        assert ensure_table(but(clickhouse, ca_file=None, tls_verify=False))


@pytest.mark.parametrize("use", [connect_client, query])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"password": WRONG_PASSWORD}, "Authentication failed"),
        ({"user": "bob"}, "Authentication failed"),
        ({"ca_file": "strangers"}, "certificate verify failed: unable to get local issuer certificate"),
        ({"url": "other name"}, f"certificate is not valid for '{LOOPBACK_BY_A_NAME_IN_NO_CERTIFICATE}'"),
        ({"url": "not HTTPS"}, "SSL"),
    ],
    ids=["wrong password", "wrong user", "unknown authority", "other name", "not HTTPS"],
)
def test_a_client_that_clickhouse_rejects_gets_the_reason(
    clickhouse: ClickHouseSettings,
    guarded_engine: EngineServer,
    guarded_kafka: KafkaServer,
    strangers: Certificates,
    change: dict[str, str],
    expected: str,
    use: Callable[[ClickHouseSettings], None],
) -> None:
    values = {
        "strangers": strangers.ca_file,
        "other name": f"https://{LOOPBACK_BY_A_NAME_IN_NO_CERTIFICATE}:{guarded_engine.port}",
        "not HTTPS": f"https://127.0.0.1:{guarded_kafka.port}",
    }
    settings = but(clickhouse, **{name: values.get(value, value) for name, value in change.items()})

    with pytest.raises(TryAgainLater) as raised:
        use(settings)

    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)
    behind = "".join(traceback.format_exception(raised.value))
    assert WRONG_PASSWORD not in behind
    assert PASSWORD not in behind
