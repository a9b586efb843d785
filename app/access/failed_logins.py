"""Counts failed logins by address. Secrets of 256 bits cannot be guessed; trying must not cost the service much."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Final

_MAX_FAILURES: Final = 20
_WINDOW_SECS: Final = 60.0
_MAX_ADDRESSES: Final = 10_000
_IPV6_NETWORK_BITS: Final = 64  # what one customer has, at least


class FailedLogins:
    """The failed logins of the last minute. Shared by threads; its memory is bounded. `clock` returns seconds."""

    def __init__(
        self, clock: Callable[[], float], *, max_failures: int = _MAX_FAILURES, max_addresses: int = _MAX_ADDRESSES
    ) -> None:
        self._clock = clock
        self._max_failures = max_failures
        self._max_addresses = max_addresses
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """When the window of an address began, and its failures since then; the oldest window first."""
        self._lock = Lock()

    def wait_secs(self, address: str) -> float:
        """How long this address must wait; 0 if it may try."""
        with self._lock:
            began_at, count = self._failures.get(_network_of(address), (0.0, 0))
            left = began_at + _WINDOW_SECS - self._clock()
            return max(left, 0.0) if count >= self._max_failures else 0.0

    def add(self, address: str) -> None:
        """Count a failed login."""
        now, network = self._clock(), _network_of(address)
        with self._lock:
            began_at, count = self._failures.get(network, (now, 0))
            if now - began_at >= _WINDOW_SECS:
                del self._failures[network]
                began_at, count = now, 0
            self._failures[network] = (began_at, count + 1)
            if len(self._failures) > self._max_addresses:
                self._failures.popitem(last=False)


def _network_of(address: str) -> str:
    """The address, or the network of an IPv6 one."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return hex(int(parsed) >> (128 - _IPV6_NETWORK_BITS))
    return str(parsed)
