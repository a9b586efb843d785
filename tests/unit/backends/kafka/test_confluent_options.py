"""How librdkafka is told the settings. It refuses to start with an option that it does not know."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.backends.kafka.confluent_client import ConfluentClient
from app.backends.kafka.confluent_options import fetching_options
from app.backends.kafka.fetching_client import UnsupportedOption
from app.environment import read_settings


def options(**environ: str) -> dict[str, Any]:
    return fetching_options(read_settings(environ).kafka, metadata_secs=10.0)


def test_nothing_that_the_promise_depends_on_is_left_to_the_library() -> None:
    made = options()

    assert (made["enable.auto.commit"], made["enable.auto.offset.store"]) == (False, False)
    assert (made["auto.offset.reset"], made["isolation.level"], made["check.crcs"]) == ("error", "read_committed", True)


def test_tls_names_its_files(file: str) -> None:
    made = options(
        KAFKA_SECURITY_PROTOCOL="SSL",
        KAFKA_SSL_CA_FILE=file,
        KAFKA_SSL_CERT_FILE=file,
        KAFKA_SSL_KEY_FILE=file,
        KAFKA_SSL_KEY_PASSWORD="geheim",
        KAFKA_SSL_CHECK_HOSTNAME="false",
    )

    assert {name: value for name, value in made.items() if name.startswith("ssl.")} == {
        "ssl.ca.location": file,
        "ssl.certificate.location": file,
        "ssl.key.location": file,
        "ssl.key.password": "geheim",
        "ssl.endpoint.identification.algorithm": "none",
    }


def test_tls_without_files_checks_the_host() -> None:
    assert options(KAFKA_SECURITY_PROTOCOL="SSL")["ssl.endpoint.identification.algorithm"] == "https"


@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_the_library_takes_a_password(protocol: str, mechanism: str) -> None:
    made = options(
        KAFKA_SECURITY_PROTOCOL=protocol,
        KAFKA_SASL_MECHANISM=mechanism,
        KAFKA_SASL_USERNAME="u",
        KAFKA_SASL_PASSWORD="p ",
        KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
    )

    assert (made["security.protocol"], made["sasl.mechanisms"]) == (protocol, mechanism)
    assert (made["sasl.username"], made["sasl.password"]) == ("u", "p ")
    with closing(ConfluentClient(made)):
        pass


def test_a_token_is_read_anew_each_time(file: str) -> None:
    made = options(
        KAFKA_SECURITY_PROTOCOL="SASL_SSL", KAFKA_SASL_MECHANISM="OAUTHBEARER", KAFKA_SASL_OAUTH_TOKEN_FILE=file
    )

    assert made["oauth_cb"]("")[0] == "token-1"
    Path(file).write_text("token-2", encoding="utf-8")
    assert made["oauth_cb"]("")[0] == "token-2"


def test_an_option_that_the_library_does_not_have_is_named() -> None:
    with pytest.raises(UnsupportedOption, match=r"no\.such\.option"):
        ConfluentClient(options() | {"no.such.option": 1})
