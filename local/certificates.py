"""A local certificate authority, for TLS on this machine."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from local.ports import LOOPBACK


@dataclass(frozen=True)
class Certificates:
    """PEM files of a certificate for the loopback address and of the authority that signed it."""

    ca_file: Path
    certificate_file: Path
    key_file: Path

    @classmethod
    def create(cls, directory: Path) -> Certificates:
        """Create an authority and a certificate signed by it, valid for localhost and 127.0.0.1."""
        import trustme  # not at the top: only tests need these packages
        from cryptography.hazmat.primitives import serialization as form

        directory.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", LOOPBACK)
        made = cls(directory / "ca.pem", directory / "certificate.pem", directory / "key.pem")
        authority.cert_pem.write_to_path(made.ca_file)
        made.certificate_file.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        key = form.load_pem_private_key(certificate.private_key_pem.bytes(), None)
        made.key_file.write_bytes(  # Kafka reads only PKCS 8
            key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        )
        made.key_file.chmod(0o600)
        return made

    def client_context(self) -> ssl.SSLContext:
        """A context that trusts only this authority."""
        return ssl.create_default_context(cafile=str(self.ca_file))
