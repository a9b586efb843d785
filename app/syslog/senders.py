"""Who may send syslog, which knows no tokens: by address, and not with too many connections."""

from app.domain.networks import ANY, names_of_networks, parse_address, parse_networks
from app.http.connections import Connections


class Senders:
    """Used by the event loop alone. `networks` lists addresses and networks, comma-separated; see `syslog_settings`."""

    def __init__(self, networks: str, most: int, most_per_address: int) -> None:
        self._networks = parse_networks(networks)
        self._allows_any = not self._networks or ANY in names_of_networks(networks)
        self._connections = Connections(most, most_per_address, lambda _: False)
        self._open = 0

    @property
    def open(self) -> int:
        """How many connections are open."""
        return self._open

    def is_allowed(self, address: str) -> bool:
        """Whether this address may send."""
        parsed = parse_address(address)
        if self._allows_any or parsed is None or parsed.is_loopback:
            return self._allows_any or parsed is not None
        return any(parsed in network for network in self._networks)

    def problem_with(self, address: str) -> str:
        """Why a new connection must not be; empty if it may, and then it counts until it leaves."""
        if not self.is_allowed(address):
            return "not_allowed"
        if not self._connections.admit(address):
            return "too_many_connections"
        self._open += 1
        return ""

    def leave(self, address: str) -> None:
        """A connection has ended."""
        self._connections.leave(address)
        self._open -= 1
