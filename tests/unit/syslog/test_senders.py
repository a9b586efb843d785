"""Who may send syslog, by address, and how many connections there may be."""

from app.syslog.senders import Senders


def test_without_networks_everybody_may() -> None:
    assert Senders("", 0, 0).is_allowed("192.0.2.7")
    assert Senders("*", 0, 0).is_allowed("2001:db8::7")


def test_with_networks_they_and_this_machine_may() -> None:
    senders = Senders("10.0.0.0/8, 2001:db8::/32", 0, 0)

    assert all(map(senders.is_allowed, ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7", "127.0.0.1", "::1")))
    assert not any(map(senders.is_allowed, ("11.1.2.3", "2001:db9::7", "no address")))
    assert senders.problem_with("11.1.2.3") == "not_allowed"


def test_connections_are_counted_in_all_and_by_address() -> None:
    senders = Senders("", 3, 2)

    assert [senders.problem_with("10.0.0.1") for _ in range(3)] == ["", "", "too_many_connections"]
    assert [senders.problem_with(f"10.0.0.{number}") for number in (2, 3)] == ["", "too_many_connections"]
    assert senders.open == 3
    senders.leave("10.0.0.1")
    assert senders.problem_with("10.0.0.3") == ""
