"""The request that probes whether a broker is up."""

import struct

import pytest

from local.kafka_probe import count_brokers, request


def _answer(brokers: int, *, error_code: int = 0, cluster_id: bytes = b"x" * 200) -> bytes:
    head = struct.pack(">ibih", 7, 0, 0, error_code)
    # Lengths are encoded plus one; 201 takes two bytes of seven bits.
    texts = b"\0" + bytes([(201 & 0x7F) | 0x80, 201 >> 7]) + cluster_id
    return head + texts + struct.pack(">i", 1) + bytes([brokers + 1]) + b"the brokers"


def test_the_request_says_its_length() -> None:
    assert struct.unpack_from(">ihh", request()) == (len(request()) - 4, 60, 0)


@pytest.mark.parametrize("brokers", [0, 1, 3])
def test_brokers_are_counted(brokers: int) -> None:
    assert count_brokers(_answer(brokers)) == brokers


def test_an_error_is_no_cluster() -> None:
    assert count_brokers(_answer(1, error_code=15)) == 0


def test_an_answer_cut_short_is_no_answer() -> None:
    whole = _answer(1, cluster_id=b"x" * 200)[: -len(b"the brokers")]

    for length in range(len(whole)):
        with pytest.raises(EOFError):
            count_brokers(whole[:length])
