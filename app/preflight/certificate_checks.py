"""Whether the certificates of Kafka and ClickHouse are checked, where TLS is used."""

from collections.abc import Iterator

from app.preflight.findings import Finding, warning
from app.settings import Settings


def unverified(settings: Settings) -> Iterator[str]:
    """A sentence for the start for each certificate that a setting says not to check."""
    if settings.clickhouse.url.startswith("https:") and not settings.clickhouse.tls_verify:
        yield (
            "CLICKHOUSE_TLS_VERIFY=false: whoever is between the service and ClickHouse can pose as it, and read its"
            " password and all logs"
        )
    if settings.kafka.security_protocol.endswith("SSL") and not settings.kafka.ssl_check_hostname:
        yield (
            "KAFKA_SSL_CHECK_HOSTNAME=false: any server with a certificate of the same authority can pose as a broker"
        )


def check_certificates(settings: Settings) -> list[Finding]:
    """The same as findings; none if all are checked."""
    advice = "Name the authority in CLICKHOUSE_CA_FILE or KAFKA_SSL_CA_FILE, and let certificates be checked"
    return [warning("certificates", sentence, advice) for sentence in unverified(settings)]
