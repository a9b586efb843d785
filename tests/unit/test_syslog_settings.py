"""Settings of syslog that do not fit together are named."""

from __future__ import annotations

import pytest

from app.environment import read_settings
from app.errors import BadSettings

TLS = {"SYSLOG_TLS_PORT": "6514", "SYSLOG_TLS_CERT_FILE": __file__, "SYSLOG_TLS_KEY_FILE": __file__}


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"SYSLOG_TLS_PORT": "6514"}, "SYSLOG_TLS_PORT needs SYSLOG_TLS_CERT_FILE and SYSLOG_TLS_KEY_FILE"),
        ({"SYSLOG_TLS_KEY_FILE": __file__}, "would have no effect: set SYSLOG_TLS_PORT"),
        ({**TLS, "SYSLOG_PORT": "6514"}, "SYSLOG_TLS_PORT=6514 must be another port than SYSLOG_PORT"),
        ({"SYSLOG_PORT": "8080"}, "SYSLOG_PORT=8080 must be another port than HTTP_PORT"),
        ({**TLS, "METRICS_PORT": "6514"}, "SYSLOG_TLS_PORT=6514 must be another port than METRICS_PORT"),
        ({"SYSLOG_ALLOWED_NETWORKS": "10.0.0.1/8"}, "SYSLOG_ALLOWED_NETWORKS is '10.0.0.1/8': must be addresses"),
        ({"SYSLOG_MAX_MESSAGE_BYTES": "10"}, "SYSLOG_MAX_MESSAGE_BYTES is '10'"),
    ],
)
def test_what_does_not_fit_is_named(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings(environ)

    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems


def test_udp_may_have_the_same_port_as_tcp() -> None:
    assert read_settings({"SYSLOG_PORT": "514", "SYSLOG_UDP_PORT": "514"}).syslog.is_on
