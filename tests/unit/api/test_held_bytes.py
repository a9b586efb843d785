"""Responses that are in memory until they are read."""

from __future__ import annotations

import pytest

from app.api.admission import TooBusy
from app.api.held_bytes import HeldBytes


def test_there_is_room_until_so_many_are_held_and_again_when_they_are_read() -> None:
    held = HeldBytes(100)
    holding = held.begin("a")

    assert (holding.add(60), holding.add(60)) == (True, False)
    with pytest.raises(TooBusy):
        held.begin("b")
    holding.release()
    assert held.begin("b").add(99)


def test_what_one_client_does_not_read_leaves_room_for_others() -> None:
    held = HeldBytes(100, max_share=0.5)

    assert not held.begin("a").add(50)
    with pytest.raises(TooBusy, match="of this client"):
        held.begin("a")
    assert held.begin("b").add(30)


def test_a_release_counts_once() -> None:
    held = HeldBytes(100)
    first, second = held.begin("a"), held.begin("a")
    first.add(50)
    second.add(40)

    first.release()
    first.release()

    assert not second.add(60)
