"""Where others can send syslog, which knows no tokens, the service starts only if it is said who may."""

import pytest

from app.environment import read_settings
from app.preflight.findings import Level
from app.preflight.syslog_checks import check_syslog, syslog_exposure, syslog_refusal

OPEN = {"SYSLOG_HOST": "0.0.0.0"}  # noqa: S104
PORT = {"SYSLOG_PORT": "5514"}
NETWORKS = {"SYSLOG_ALLOWED_NETWORKS": "10.0.0.0/8"}
TLS = {
    "SYSLOG_TLS_PORT": "6514",
    **{f"SYSLOG_TLS_{name}_FILE": __file__ for name in ("CERT", "KEY", "CLIENT_CA")},
}


@pytest.mark.parametrize(
    ("environ", "is_refused", "is_warned", "level"),
    [
        ({}, False, False, Level.OK),
        (OPEN, False, False, Level.OK),
        (PORT, False, False, Level.OK),
        ({**OPEN, **PORT}, True, False, Level.PROBLEM),
        ({**OPEN, "SYSLOG_UDP_PORT": "5514"}, True, False, Level.PROBLEM),
        ({"HTTP_HOST": "::", **PORT}, True, False, Level.PROBLEM),
        ({"HTTP_HOST": "::", "SYSLOG_HOST": "127.0.0.1", **PORT}, False, False, Level.OK),
        ({**OPEN, **PORT, "ROLES": "ingest"}, False, False, Level.OK),
        ({**OPEN, **PORT, **NETWORKS}, False, False, Level.OK),
        ({**OPEN, **PORT, "SYSLOG_ALLOWED_NETWORKS": "*"}, False, True, Level.WARNING),
        ({**OPEN, **TLS}, False, False, Level.OK),
        ({**OPEN, **TLS, **PORT}, True, False, Level.PROBLEM),
    ],
)
def test_an_address_that_others_reach_needs_a_word(
    environ: dict[str, str], is_refused: bool, is_warned: bool, level: Level
) -> None:
    settings = read_settings(environ)

    assert (syslog_refusal(settings) is not None, syslog_exposure(settings) is not None) == (is_refused, is_warned)
    assert check_syslog(settings).level is level


def test_the_refusal_names_the_setting_and_the_ways_out() -> None:
    by_http = syslog_refusal(read_settings({"HTTP_HOST": "::", **PORT})) or ""

    assert "HTTP_HOST is '::'" in by_http
    assert "SYSLOG_ALLOWED_NETWORKS" in by_http
    assert "SYSLOG_HOST is" in (syslog_refusal(read_settings({**OPEN, **PORT})) or "")
