"""Networks of the internet, as settings name them."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

ANY: Final = "*"
"""Whoever it is."""


def names_of_networks(text: str) -> Sequence[str]:
    """The names in a comma-separated list."""
    return [name for part in text.split(",") if (name := part.strip())]


def parse_networks(text: str) -> Sequence[Network]:
    """The networks of a comma-separated list; an address is a network of one. `*` is none of them.

    Raises:
        ValueError: with what is wrong.
    """
    return [_network(name) for name in names_of_networks(text) if name != ANY]


def _network(name: str) -> Network:
    try:
        network = ip_network(name)
    except ValueError as error:
        raise ValueError(
            f"must be addresses and networks, comma-separated, such as 10.0.0.0/8,2001:db8::7, or *: {error}"
        ) from error
    if not network.prefixlen:
        raise ValueError(f"{name} is every address: write * for whoever connects")
    return network


def parse_address(text: str) -> Address | None:
    """The address of a text, which may have a port or a zone; None if there is none.

    IPv4 within IPv6, as a socket that listens on `::` shows it, is IPv4.
    """
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback(host: str) -> bool:
    """Whether only programs on the same machine can connect to who listens on this address, or name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
