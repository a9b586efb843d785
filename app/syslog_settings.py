"""The settings of syslog."""

from collections.abc import Iterator

from pydantic import Field, FilePath, field_validator

from app.domain.networks import parse_networks
from app.settings_group import SettingsGroup


class SyslogSettings(SettingsGroup):
    """Where the service listens for syslog, with the role `receive`. Environment: SYSLOG_*."""

    host: str | None = Field(None, description="Address to listen on. Unset: that of HTTP_HOST.")
    port: int | None = Field(
        None, ge=1, le=65535, description="TCP port for syslog, such as 514 or 5514. Unset: there is none."
    )
    udp_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="UDP port for syslog, which may be the same number. Unset: there is none. Datagrams may be lost.",
    )
    tls_port: int | None = Field(
        None, ge=1, le=65535, description="TCP port for syslog over TLS, such as 6514. Unset: there is none."
    )
    tls_cert_file: FilePath | None = Field(
        None,
        description="Certificate for it in PEM, with the chain behind it. It and the key are read again when they"
        " change.",
    )
    tls_key_file: FilePath | None = Field(None, description="Key of the certificate in PEM, without a passphrase.")
    tls_client_ca_file: FilePath | None = Field(
        None,
        description="CA certificates in PEM, of which clients over TLS need a certificate. Unset: they need none.",
    )
    allowed_networks: str = Field(
        "",
        description="Who may send syslog besides this machine: addresses and networks, comma-separated, such as"
        " `10.0.0.0/8,192.168.7.1`; `*` for whoever can connect. Needed where others can, unless clients need"
        " certificates.",
    )
    max_message_bytes: int = Field(
        64 * 1024,
        ge=2048,
        le=256 * 1024,
        description="Bytes of a message; a longer one is split into several events, which is counted.",
    )
    max_connections: int = Field(1024, ge=0, description="Open connections; further ones are closed. 0 for no limit.")
    max_connections_per_address: int = Field(512, ge=0, description="The same for each address; 0 for no limit.")

    @field_validator("allowed_networks")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        parse_networks(text)
        return text

    @property
    def is_on(self) -> bool:
        """Whether there is a port."""
        return any(port is not None for port in (self.port, self.udp_port, self.tls_port))

    @property
    def needs_certificates(self) -> bool:
        """Whether every client needs a certificate."""
        return self.tls_client_ca_file is not None and self.port is None and self.udp_port is None

    def _conflicts(self) -> Iterator[str]:
        if self.tls_port is not None and (self.tls_cert_file is None or self.tls_key_file is None):
            yield "SYSLOG_TLS_PORT needs SYSLOG_TLS_CERT_FILE and SYSLOG_TLS_KEY_FILE"
        if self.tls_port is None and (self.tls_cert_file or self.tls_key_file or self.tls_client_ca_file):
            yield "SYSLOG_TLS_CERT_FILE, _KEY_FILE and _CLIENT_CA_FILE would have no effect: set SYSLOG_TLS_PORT"
        if self.tls_port is not None and self.tls_port == self.port:
            yield f"SYSLOG_TLS_PORT={self.tls_port} must be another port than SYSLOG_PORT"
