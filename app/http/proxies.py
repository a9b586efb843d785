"""Who sent a request that came through proxies: what they say of it, as far as they are trusted.

X-Forwarded-For and X-Forwarded-Proto are no standard, but what proxies send: each appends, at the right, the address
that connected to it. What stands further left may be the client's own invention. `Forwarded` (RFC 7239) is not read:
a proxy that writes one of the two headers passes on what a client has written into the other.
"""

from collections.abc import MutableMapping
from typing import Any, Final

from app.domain.networks import ANY, names_of_networks, parse_address, parse_networks

_FOR: Final = "HTTP_X_FORWARDED_FOR"
_PROTO: Final = "HTTP_X_FORWARDED_PROTO"
_SCHEMES: Final = ("http", "https")


class TrustedProxies:
    """Knows the proxies whose headers count; `text` lists addresses and networks, comma-separated.

    `*` trusts whoever connects, but no address in a header.
    """

    def __init__(self, text: str) -> None:
        self._networks = parse_networks(text)
        self._trusts_any_peer = ANY in names_of_networks(text)

    def trust(self, peer: str) -> bool:
        """Whether a connection from this address is one of a proxy."""
        return self._trusts_any_peer or self._is_proxy(peer)

    def apply(self, environ: MutableMapping[str, Any]) -> None:
        """Put the address of the client, and the scheme it spoke, in place of the proxy's. See PEP 3333."""
        if not self.trust(environ["REMOTE_ADDR"]):
            return
        hops = _entries(environ.get(_FOR, ""))
        number = self._number_of_client(hops)
        if number and (address := parse_address(hops[-number])):
            environ["REMOTE_ADDR"] = str(address)
        schemes = _entries(environ.get(_PROTO, "").lower())
        # Most proxies replace the scheme, so that there are fewer than addresses.
        scheme = schemes[-min(max(number, 1), len(schemes))] if schemes else ""
        if scheme in _SCHEMES:
            environ["wsgi.url_scheme"] = scheme

    def _number_of_client(self, hops: list[str]) -> int:
        """Which entry is the client, from the right: the first that is no proxy, or the last of proxies alone.

        0 if there is none. An entry that is no address, which a proxy writes for a client that it does not know, leaves
        the proxy that wrote it.
        """
        for number in range(1, len(hops) + 1):
            hop = hops[-number]
            if parse_address(hop) is None:
                return number - 1
            if not self._is_proxy(hop):
                return number
        return len(hops)

    def _is_proxy(self, text: str) -> bool:
        address = parse_address(text)
        return address is not None and any(address in network for network in self._networks)


def _entries(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text else []
