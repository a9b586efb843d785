"""The component of syslog, from the settings."""

from collections.abc import Sequence

from app.component import Component
from app.errors import BadSettings
from app.metrics import Metrics
from app.preflight.syslog_checks import host_of_syslog, is_syslog_on, syslog_refusal
from app.receive.intake import Intake
from app.service import submit_to_thread
from app.settings import Settings
from app.syslog.senders import Senders
from app.syslog.server import Address, Listening, SyslogServer
from app.telemetry.receive import ReceiveTelemetry
from app.telemetry.syslog import SyslogTelemetry


def build_syslog(
    settings: Settings, intake: Intake, metrics: Metrics, telemetry: ReceiveTelemetry
) -> Sequence[Component]:
    """The component; none if no port is set. It must stop before the publisher does.

    Raises:
        BadSettings: it is not said who may send.
    """
    if not is_syslog_on(settings):
        return ()
    if reason := syslog_refusal(settings):
        raise BadSettings([reason])
    syslog = settings.syslog
    senders = Senders(syslog.allowed_networks, syslog.max_connections, syslog.max_connections_per_address)
    return [
        SyslogServer(
            _listening(settings),
            senders,
            intake,
            SyslogTelemetry(metrics, telemetry),
            submit_to_thread,
            most_message_bytes=syslog.max_message_bytes,
        )
    ]


def _listening(settings: Settings) -> Listening:
    syslog, host = settings.syslog, host_of_syslog(settings)

    def address(port: int | None, setting: str) -> Address | None:
        return None if port is None else Address(host, port, setting)

    return Listening(
        tcp=address(syslog.port, "SYSLOG_PORT"),
        tls=address(syslog.tls_port, "SYSLOG_TLS_PORT"),
        udp=address(syslog.udp_port, "SYSLOG_UDP_PORT"),
        certificate=syslog.tls_cert_file,
        key=syslog.tls_key_file,
        client_authority=syslog.tls_client_ca_file,
    )
