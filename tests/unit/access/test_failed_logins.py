"""Failed logins are limited by address, and counting them is limited too."""

from __future__ import annotations

from app.access.failed_logins import FailedLogins


class World:
    def __init__(self, **limits: int) -> None:
        self.now = 100.0
        self.failures = FailedLogins(lambda: self.now, **limits)

    def fail(self, address: str, times: int = 1) -> None:
        for _ in range(times):
            self.failures.add(address)


def test_an_address_with_many_failures_must_wait_until_the_minute_is_over() -> None:
    world = World(max_failures=3)
    world.fail("192.0.2.1", 2)
    assert world.failures.wait_secs("192.0.2.1") == 0

    world.now += 20
    world.fail("192.0.2.1")
    assert world.failures.wait_secs("192.0.2.1") == 40
    assert world.failures.wait_secs("192.0.2.2") == 0

    world.now += 40
    assert world.failures.wait_secs("192.0.2.1") == 0
    world.fail("192.0.2.1")
    assert world.failures.wait_secs("192.0.2.1") == 0


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    world = World(max_failures=2)
    world.fail("2001:db8::1")
    world.fail("2001:db8::2")

    assert world.failures.wait_secs("2001:db8::3") > 0
    assert world.failures.wait_secs("2001:db8:0:1::3") == 0


def test_failures_of_many_addresses_take_bounded_memory() -> None:
    world = World(max_failures=1, max_addresses=100)
    for number in range(1_000):
        world.fail(f"2001:db8:{number:x}::1")

    waiting = [number for number in range(1_000) if world.failures.wait_secs(f"2001:db8:{number:x}::1")]
    assert waiting == list(range(900, 1_000))
