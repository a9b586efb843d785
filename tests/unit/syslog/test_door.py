"""Who may send syslog, by address, and how many connections there may be."""

from app.syslog.door import Door


def test_without_networks_everybody_may() -> None:
    assert Door("", 0, 0).is_allowed("192.0.2.7")
    assert Door("*", 0, 0).is_allowed("2001:db8::7")


def test_with_networks_they_and_this_machine_may() -> None:
    door = Door("10.0.0.0/8, 2001:db8::/32", 0, 0)

    assert all(map(door.is_allowed, ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7", "127.0.0.1", "::1")))
    assert not any(map(door.is_allowed, ("11.1.2.3", "2001:db9::7", "no address")))
    assert door.problem_with("11.1.2.3") == "not_allowed"


def test_connections_are_counted_in_all_and_by_address() -> None:
    door = Door("", 3, 2)

    assert [door.problem_with("10.0.0.1") for _ in range(3)] == ["", "", "too_many_connections"]
    assert [door.problem_with(f"10.0.0.{number}") for number in (2, 3)] == ["", "too_many_connections"]
    assert door.open == 3
    door.leave("10.0.0.1")
    assert door.problem_with("10.0.0.3") == ""
