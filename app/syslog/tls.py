"""The certificate with which the service answers syslog over TLS (RFC 5425), read again when its files change."""

import logging
import ssl
from pathlib import Path
from typing import Final

_log: Final = logging.getLogger(__name__)


class ServerTls:
    """The TLS of a listener."""

    def __init__(self, certificate: Path, key: Path, client_authority: Path | None) -> None:
        """With a `client_authority`, clients need a certificate of it.

        Raises:
            OSError: a file cannot be read, or is not what it should be (ssl.SSLError).
        """
        self._files = [path for path in (certificate, key, client_authority) if path]
        self._certificate = certificate
        self._key = key
        self._client_authority = client_authority
        self._version = self._now()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """For the next connection. Files that cannot be used leave it as it was."""
        try:
            version = self._now()
            if version != self._version:
                self._version = version
                self._context = self._load()
                _log.info("Syslog over TLS: new connections get the new certificate")
        except OSError as error:
            _log.warning("Syslog over TLS: the changed certificate cannot be used, the old one stays: %s", error)
        return self._context

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A key with a passphrase would be asked for at the terminal.
        context.load_cert_chain(self._certificate, self._key, password=lambda: "")
        if self._client_authority:
            context.load_verify_locations(self._client_authority)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _now(self) -> object:
        return [(found.st_ino, found.st_mtime_ns, found.st_size) for found in map(Path.stat, self._files)]
