"""A certificate that is not checked is said, at the start and by `check`."""

import pytest

from app.environment import read_settings
from app.preflight.certificate_checks import unverified
from app.preflight.findings import Level
from app.preflight.settings_checks import check_settings

HTTPS = {"CLICKHOUSE_URL": "https://click.example:8443"}
SSL = {"KAFKA_SECURITY_PROTOCOL": "SSL"}
UNCHECKED = {"CLICKHOUSE_TLS_VERIFY": "false", "KAFKA_SSL_CHECK_HOSTNAME": "false"}


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({**HTTPS, **SSL}, []),
        (UNCHECKED, []),  # without TLS there is no certificate
        ({**HTTPS, **UNCHECKED}, ["CLICKHOUSE_TLS_VERIFY=false"]),
        ({**SSL, **UNCHECKED}, ["KAFKA_SSL_CHECK_HOSTNAME=false"]),
    ],
)
def test_what_is_not_checked_is_named(environ: dict[str, str], named: list[str]) -> None:
    settings = read_settings(environ)

    assert [sentence.partition(":")[0] for sentence in unverified(settings)] == named
    warnings = [found for found in check_settings(settings, [], margin_secs=3) if found.about == "certificates"]
    assert [found.level for found in warnings] == [Level.WARNING] * len(named)
