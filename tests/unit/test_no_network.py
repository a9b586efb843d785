"""The network guard of the unit tests works."""

import socket

import pytest


def test_a_unit_test_that_opens_a_connection_fails(no_network: list[str]) -> None:
    with socket.socket() as probe, pytest.raises(RuntimeError, match="must not use the network"):
        probe.connect(("127.0.0.1", 9))

    assert len(no_network) == 1
    no_network.clear()  # or this test would fail too


def test_a_unit_test_that_looks_up_a_name_fails(no_network: list[str]) -> None:
    with pytest.raises(RuntimeError, match="must not use the network"):
        socket.getaddrinfo("localhost", 80)

    no_network.clear()
