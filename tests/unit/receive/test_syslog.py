"""Syslog: the messages in what connections and datagrams brought, and how they are put into records."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.receive.received import LINES
from app.receive.syslog import Client, Framing, messages_of, received_of

MOST = 100


class Fed:
    """Framing with what it complained about."""

    def __init__(self, *chunks: bytes, most: int = MOST) -> None:
        self.problems: list[str] = []
        framing = Framing(most, self.problems.append)
        self.complete = [message for chunk in chunks for message in framing.feed(chunk)]
        self.messages = [*self.complete, *framing.end()]


@pytest.mark.parametrize(
    ("sent", "messages"),
    [
        (b"<13>one\n<13>two\n", [b"<13>one", b"<13>two"]),
        (b"<13>one\r\n<13>two", [b"<13>one", b"<13>two"]),
        (b"<13>one\0<13>two\0\n", [b"<13>one", b"<13>two"]),
        (b"7 <13>one7 <13>two", [b"<13>one", b"<13>two"]),
        (b"7 <13>one\n7 <13>two\n", [b"<13>one", b"<13>two"]),
        (b"9 <13>o\nne\n7 <13>two", [b"<13>o\nne", b"<13>two"]),
        (b"10 <13>one\0\0\n<13>two\n7 <13>six", [b"<13>one", b"<13>two", b"<13>six"]),
        (b"<13>one\n7 <13>two<13>six\n", [b"<13>one", b"<13>two", b"<13>six"]),
        (b"\xef\xbb\xbf<13>one\n", [b"<13>one"]),
        (b"\n\n \n<13>one\n\t\n", [b"<13>one"]),
        (b"5 <13> \n<13>one\n", [b"<13> ", b"<13>one"]),
        (b'{"message": "one"}\n{"message": "two"}\0', [b'{"message": "one"}', b'{"message": "two"}']),
        (b"12 of them\n2026-11-30 12:00:00 ERROR\n123", [b"12 of them", b"2026-11-30 12:00:00 ERROR", b"123"]),
        (b"  at a.b(C.java:1)\n", [b"  at a.b(C.java:1)"]),
        (b"", []),
        (b"\0\0\0", []),
    ],
)
def test_framings_are_told_apart_by_message(sent: bytes, messages: list[bytes]) -> None:
    assert Fed(sent).messages == messages
    assert Fed(*(sent[at : at + 1] for at in range(len(sent)))).messages == messages
    assert Fed(sent).problems == []


@pytest.mark.parametrize(
    ("sent", "messages", "problems"),
    [
        pytest.param(b"5 <13>one7 <13>two", [b"<13>o", b"ne", b"<13>two"], ["framing"], id="too small"),
        pytest.param(b"5 <13>one\n7 <13>two", [b"<13>o", b"ne", b"<13>two"], ["framing"], id="too small, line feed"),
        pytest.param(b"9 <13>one7 <13>two\n", [b"<13>one7 ", b"<13>two"], [], id="too large"),
        pytest.param(b"99 <13>one", [b"<13>one"], ["cut_off"], id="cut off"),
        pytest.param(b"<13>" + b"x" * 100, [b"<13>" + b"x" * 96, b"xxxx"], ["split"], id="long line"),
        pytest.param(b"104 <13>" + b"x" * 100 + b"7 <13>two", [b"<13>" + b"x" * 96, b"xxxx", b"<13>two"], ["split"]),
        pytest.param(
            b"105 <13>" + b"x" * 95 + "äöü".encode(), [b"<13>" + b"x" * 95, "äöü".encode()], ["split"], id="characters"
        ),
        pytest.param(b"200 <13>" + b"x" * 96, [b"<13>" + b"x" * 96], ["split", "cut_off"], id="cut off at a part"),
        pytest.param(b"9999999 <13>one", [b"<13>one"], ["split", "cut_off"], id="a claim"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_lost(sent: bytes, messages: list[bytes], problems: list[str]) -> None:
    fed = Fed(sent)

    assert (fed.messages, fed.problems) == (messages, problems)


def test_a_message_is_taken_as_soon_as_its_end_is_there() -> None:
    assert Fed(b"7 <13>one").complete == [b"<13>one"]
    assert Fed(b"<13>one\n").complete == [b"<13>one"]
    assert Fed(b"<13>one").complete == []


lines = st.binary(max_size=60).map(lambda data: b"<13>a" + data.translate(None, b"\r\n\0"))
counted = st.binary(max_size=60).map(lambda data: b"<13>a" + data + b"z")
framed = st.one_of(
    st.tuples(lines, st.sampled_from([b"\n", b"\r\n", b"\0"])).map(lambda pair: (pair[0], pair[0] + pair[1])),
    counted.map(lambda message: (message, b"%d %b" % (len(message), message))),
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(st.lists(framed, max_size=6), st.lists(st.integers(0, 1000), max_size=8))
def test_every_message_is_found_once_however_it_arrives(pairs: list[tuple[bytes, bytes]], places: list[int]) -> None:
    fed = Fed(*cut(b"".join(sent for _, sent in pairs), places))

    assert fed.messages == [message for message, _ in pairs]
    assert fed.problems == []


garbage = st.lists(
    st.one_of(
        st.binary(max_size=40), st.sampled_from([b"<13>", b"7 <1>", b"99 <13>x", b"300 <13>x", b"\n", b"\0", b"8"])
    )
).map(b"".join)


@given(garbage, st.lists(st.integers(0, 1000), max_size=8))
def test_any_bytes_become_messages_that_are_short_enough_however_they_arrive(data: bytes, places: list[int]) -> None:
    fed = Fed(*cut(data, places))

    assert all(0 < len(message) <= MOST for message in fed.messages)
    assert fed.messages == Fed(data).messages
    # Nothing but what separates messages is left out.
    kept = b"".join(fed.messages)
    assert sum(map(len, fed.messages)) <= len(data)
    assert all(kept.count(letter) == data.count(letter) for letter in (b"x", b"<", b">"))


@given(garbage)
def test_any_datagram_becomes_messages(data: bytes) -> None:
    assert (
        b"".join(messages_of(data, 2048, lambda _: None)) == data.strip(b"\r\n\0").removeprefix(b"\xef\xbb\xbf")
        or data.strip(b"\r\n\0").removeprefix(b"\xef\xbb\xbf").isspace()
    )


def test_a_datagram_may_have_several_lines_and_a_long_one_is_split() -> None:
    problems: list[str] = []

    assert messages_of(b"<13>one\ntwo\n\0", MOST, problems.append) == [b"<13>one\ntwo"]
    assert messages_of(b"", MOST, problems.append) == []
    assert problems == []
    assert messages_of(b"x" * 101, MOST, problems.append) == [b"x" * 100, b"x"]
    assert problems == ["split"]


def test_each_message_is_a_line_that_the_consumer_reads() -> None:
    received = received_of([b"<13>one", b"<13>t\nw\xffo"], Client("192.0.2.7", "tls", "web1"), "192.0.2.7")

    one, two = (piece.value for piece in received.pieces)
    assert (received.form, one) == (LINES, b"<13>one")
    assert b"\n" not in two
    assert json.loads(two.decode(errors="surrogateescape")).encode(errors="surrogateescape") == b"<13>t\nw\xffo"
    assert received.said == {"transport": "tls", "client.certificate": "web1"}
    assert received.given == {"host.name": "192.0.2.7"}
