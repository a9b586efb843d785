"""Listeners with TLS and SASL for the local broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.certificates import Certificates
from local.ports import free_port

_SASL_PREFIX = "listener.name.sasl_ssl"
_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True)
class KafkaSecurity:
    """Listeners of a broker in addition to the plain one.

    SASL_SSL offers PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER. OAUTHBEARER accepts unsecured JWS tokens, which
    prove nothing: it is there to test a client. `users` (name to password) are those of PLAIN and SCRAM; SCRAM's are
    stored when the storage is formatted, so they cannot change later.
    """

    certificates: Certificates | None = None
    ssl_port: int = 0
    sasl_ssl_port: int = 0
    users: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def create(cls, directory: Path, users: Mapping[str, str]) -> KafkaSecurity:
        """Both listeners on free ports, with new certificates in `directory`."""
        return cls(Certificates.create(directory), free_port(), free_port(), dict(users))

    @property
    def ssl_bootstrap_servers(self) -> str:
        """The address for clients with TLS but without SASL."""
        return f"localhost:{self.ssl_port}"

    @property
    def sasl_ssl_bootstrap_servers(self) -> str:
        """The address for clients with TLS and SASL."""
        return f"localhost:{self.sasl_ssl_port}"

    @property
    def listener_ports(self) -> dict[str, int]:
        """Port of each listener, by its security protocol."""
        ports = {"SSL": self.ssl_port, "SASL_SSL": self.sasl_ssl_port}
        return {name: port for name, port in ports.items() if port}

    @property
    def scram_users(self) -> Mapping[str, str]:
        """Users with which the storage must be formatted."""
        return self.users if self.sasl_ssl_port else {}

    def properties(self) -> dict[str, str]:
        """The entries of server.properties for these listeners."""
        made: dict[str, str] = {}
        if self.certificates is not None:
            made |= {
                "ssl.keystore.type": "PEM",
                "ssl.keystore.certificate.chain": _one_line(self.certificates.certificate_file),
                "ssl.keystore.key": _one_line(self.certificates.key_file),
                "ssl.truststore.type": "PEM",
                "ssl.truststore.certificates": _one_line(self.certificates.ca_file),
            }
        if self.sasl_ssl_port:
            made |= self._sasl_properties()
        return made

    def format_options(self) -> list[str]:
        """Arguments of the storage tool that store SCRAM users."""
        return [
            option
            for name, password in self.scram_users.items()
            for mechanism in _SCRAM
            for option in ("--add-scram", f"{mechanism}=[name={name},password={password}]")
        ]

    def _sasl_properties(self) -> dict[str, str]:
        package = "org.apache.kafka.common.security"
        users = " ".join(f'user_{name}="{password}"' for name, password in self.users.items())
        login = {
            "plain": f"{package}.plain.PlainLoginModule required {users};",
            "scram-sha-256": f"{package}.scram.ScramLoginModule required;",
            "scram-sha-512": f"{package}.scram.ScramLoginModule required;",
            "oauthbearer": f"{package}.oauthbearer.OAuthBearerLoginModule required "
            'unsecuredLoginStringClaim_sub="broker";',
        }
        return {
            f"{_SASL_PREFIX}.sasl.enabled.mechanisms": ",".join(["PLAIN", *_SCRAM, "OAUTHBEARER"]),
            **{f"{_SASL_PREFIX}.{mechanism}.sasl.jaas.config": module for mechanism, module in login.items()},
        }


NO_SECURITY = KafkaSecurity()


def _one_line(pem_file: Path) -> str:
    return pem_file.read_text().replace("\n", "\\n")  # as a .properties file spells a line end
