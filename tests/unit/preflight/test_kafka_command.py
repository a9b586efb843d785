"""The commands of Kafka's client that `check` and `audit` print, read by that client itself."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

from kafka.cli.admin import main_parser
from kafka.cli.common import build_connect_kwargs

from app.environment import read_settings
from app.preflight.kafka_command import admin_command, python


def read(environ: dict[str, str]) -> dict[str, Any]:
    """How the client connects by the command for these settings."""
    command = admin_command(read_settings(environ).kafka)
    words = shlex.split(command.replace("$KAFKA_SASL_PASSWORD", "secret"))
    assert words[1:3] == ["-m", "kafka.admin"]
    return dict(build_connect_kwargs(main_parser().parse_args(words[3:])))


def test_it_connects_and_logs_in_as_the_service_does(tmp_path: Path) -> None:
    ca = tmp_path / "the ca.pem"
    ca.touch()

    found = read(
        {
            "KAFKA_BOOTSTRAP_SERVERS": "one:9092,two:9092",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SASL_USERNAME": "log $analytics",
            "KAFKA_SASL_PASSWORD": "secret",
            "KAFKA_SSL_CA_FILE": str(ca),
            "KAFKA_SSL_CHECK_HOSTNAME": "false",
        }
    )

    assert found == {
        "bootstrap_servers": ["one:9092", "two:9092"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "log $analytics",
        "sasl_plain_password": "secret",
        "ssl_cafile": str(ca),
        "ssl_check_hostname": False,
    }


def test_the_password_is_not_printed() -> None:
    settings = read_settings(
        {
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_MECHANISM": "PLAIN",
            "KAFKA_SASL_USERNAME": "me",
            "KAFKA_SASL_PASSWORD": "hunter2",
        }
    )
    assert "hunter2" not in admin_command(settings.kafka)


def test_without_tls_and_password_it_is_short() -> None:
    assert admin_command(read_settings({}).kafka) == f"{python()} -m kafka.admin -b localhost:9092"


def test_python_is_called_as_a_shell_finds_it() -> None:
    assert python("/srv/.venv/bin/python", "/srv") == ".venv/bin/python"
    assert python("/opt/my venv/python", "/srv") == "'/opt/my venv/python'"
    assert python(str(shutil.which("python3")), "/srv").endswith("python3")
    if found := shutil.which("python"):
        assert python(found, "/srv") == "python"
