"""How every Kafka client of the service connects: addresses, TLS, SASL."""

import gc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.sasl.oauth import AbstractTokenProvider
from kafka.net.selector import NetworkSelector

from app.settings import KafkaSettings

_Client = TypeVar("_Client")

_RECONNECT_MAX_MS = 1_000  # the client's own 30 s are how long a Kafka that is back would wait to be noticed


def open_client(make: Callable[..., _Client], options: Mapping[str, Any]) -> _Client:
    """Make a consumer or admin client of kafka-python; one that cannot connect leaves nothing behind.

    Its constructor connects, and when that fails its I/O thread and sockets would stay for good: one more at every
    attempt to reach a Kafka that is away.
    """
    opened: list[tuple[KafkaNetClient, NetworkSelector]] = []

    def network(**configs: Any) -> KafkaNetClient:
        selector = NetworkSelector(**configs)
        client = KafkaNetClient(selector, _Connections(selector, **configs), **configs)
        opened.append((client, selector))
        return client

    try:
        return make(**options, kafka_client=network)
    except BaseException:
        for client, selector in opened:
            client.close()
            selector.close()
        opened.clear()
        gc.collect()  # sockets of cancelled attempts hang in cycles
        raise


class _Connections(KafkaConnectionManager):  # type: ignore[misc]  # kafka-python has no types
    """Connections that hear why a login fails."""

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        transport = await super()._build_transport(node, timeout_at)
        receive = transport._sock_recv

        def receive_to_the_end() -> tuple[bytes, Exception | None]:
            # A broker says why it refuses a login and hangs up. kafka-python 3.0.12 drops what it reads together with
            # the end; the end is still there when it reads again.
            data, error = receive()
            return data, None if data else error

        transport._sock_recv = receive_to_the_end
        return transport


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments that a consumer, a producer and an admin client share."""
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in settings.bootstrap_servers.split(",")],
        "security_protocol": settings.security_protocol,
        "reconnect_backoff_max_ms": _RECONNECT_MAX_MS,
    }
    if settings.security_protocol.endswith("SSL"):
        options |= _tls_options(settings)
    if settings.sasl_mechanism == "OAUTHBEARER":
        options |= {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": _token_provider(settings)}
    elif settings.sasl_mechanism and settings.sasl_password:
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.sasl_password.get_secret_value(),
        }
    return options


def _tls_options(settings: KafkaSettings) -> dict[str, Any]:
    def text(path: Path | None) -> str | None:
        return str(path) if path else None

    password = settings.ssl_key_password
    return {
        "ssl_cafile": text(settings.ssl_ca_file),
        "ssl_certfile": text(settings.ssl_cert_file),
        "ssl_keyfile": text(settings.ssl_key_file),
        "ssl_password": password.get_secret_value() if password else None,
        "ssl_check_hostname": settings.ssl_check_hostname,
    }


def _token_provider(settings: KafkaSettings) -> AbstractTokenProvider:
    if settings.sasl_oauth_provider == "google":
        from app.backends.kafka.google_token import GoogleTokenProvider  # only there where google-auth is wanted

        return GoogleTokenProvider()
    assert settings.sasl_oauth_token_file is not None  # settings refuse to start without it
    return FileTokenProvider(settings.sasl_oauth_token_file)


class FileTokenProvider(AbstractTokenProvider):  # type: ignore[misc]
    """A bearer token that something else keeps fresh in a file, as Kubernetes does for projected tokens."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def token(self) -> str:
        return self._path.read_text(encoding="utf-8").strip()
