"""Lines that become one event."""

import json
from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.input.continuation import TraceRule
from app.input.lines import Line, lines_of
from app.input.multiline import CUT, MAX_BYTES, MAX_LINES, joined
from tests.unit.input.chunks import cut
from tests.unit.input.traces import TRACES

HEAD = b"2026-11-29 10:15:01 ERROR failed"
FRAME = b"\tat com.example.Shop.sell(Shop.java:42)"
CRI = b"2026-11-29T10:15:01.123456789Z stderr F "


def records(*chunks: bytes, max_bytes: int = 1_000_000) -> list[Line]:
    return list(joined(lines_of(chunks, max_bytes), TraceRule, max_bytes))


def values(*chunks: bytes, max_bytes: int = 1_000_000) -> list[bytes]:
    return [line.value for line in records(*chunks, max_bytes=max_bytes) if line.value]


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_in_the_middle_of_a_file_is_one_event_with_its_blank_lines(name: str) -> None:
    before, trace, after = b"10:15:00 INFO before", TRACES[name].encode(), b"10:15:02 INFO after"

    assert values(b"\n".join([before, trace, after, trace, b""])) == [before, trace, after, trace]


def test_an_event_has_the_number_of_its_first_line_and_counts_all() -> None:
    first, second = records(b"\n".join([HEAD, FRAME, b"", FRAME, b"", b"", HEAD]))[::3]

    assert (first.number, first.lines, first.size_bytes) == (1, 4, len(HEAD) + 2 * len(FRAME) + 4)
    assert (second.number, second.lines) == (7, 1)


def test_blank_lines_behind_an_event_are_none_of_it() -> None:
    found = records(HEAD + b"\n" + FRAME + b"\n\n \n\n" + HEAD)

    assert [(line.number, line.value) for line in found] == [
        (1, HEAD + b"\n" + FRAME),
        (3, b""),
        (4, b" "),
        (5, b""),
        (6, HEAD),
    ]


def test_an_event_longer_than_the_bound_of_lines_is_sent_in_several_records() -> None:
    found = records(HEAD + b"\n" + (FRAME + b"\n") * 2_500)

    assert [line.lines for line in found] == [MAX_LINES, MAX_LINES, 501]
    assert [line.note for line in found] == [CUT, CUT, ""]


def test_an_event_longer_than_the_bound_of_bytes_is_sent_in_several_records() -> None:
    text = HEAD + b"\n" + (b"\t" + b"x" * 10_000 + b"\n") * 60

    assert max(map(len, values(text))) <= MAX_BYTES
    assert len(values(text)) == 3
    assert max(map(len, values(text, max_bytes=15_000))) <= 15_000
    assert b"\n".join(values(text, max_bytes=15_000)) == text.rstrip()


def test_a_line_that_is_too_long_for_a_record_stands_for_itself() -> None:
    found = records(HEAD + b"\n" + b"\t" * 2_000 + b"\n" + FRAME, max_bytes=1_000)

    assert [line.value for line in found] == [HEAD, None, FRAME]


def test_an_event_is_complete_when_nothing_came_for_a_while() -> None:
    chunks = iter([HEAD + b"\n" + FRAME + b"\n", b"", FRAME + b"\n"])

    assert next(joined(lines_of(chunks, 1_000), TraceRule, 1_000)).value == HEAD + b"\n" + FRAME
    assert next(chunks) == FRAME + b"\n"


def test_an_event_in_json_is_not_held() -> None:
    chunks = iter([b'{"message":"x"}\n', b"not read yet"])

    assert next(joined(lines_of(chunks, 1_000), TraceRule, 1_000)).value == b'{"message":"x"}'
    assert next(chunks) == b"not read yet"


def test_a_trace_within_lines_of_containerd_becomes_one_line_of_it() -> None:
    lines = [CRI + HEAD, CRI + FRAME, CRI + b"", CRI + FRAME, CRI + HEAD]

    assert values(b"\n".join(lines)) == [CRI + b"\n".join([HEAD, FRAME, b"", FRAME]), CRI + HEAD]


def test_a_trace_within_lines_of_docker_becomes_one_line_of_it() -> None:
    entries = [{"log": f"{line.decode()}\n", "stream": "stderr", "time": "t"} for line in (HEAD, FRAME, FRAME, HEAD)]

    first, second = values(b"\n".join(json.dumps(entry, separators=(",", ":")).encode() for entry in entries))

    assert json.loads(first) == entries[0] | {"log": b"\n".join([HEAD, FRAME, FRAME, b""]).decode()}
    assert json.loads(second) == entries[3]


def test_what_docker_escapes_counts_for_the_bound() -> None:
    line = json.dumps(
        {"log": "\t" + "ö\x01" * 3_000 + "\n", "stream": "stderr"}, ensure_ascii=False, separators=(",", ":")
    )
    head = json.dumps({"log": "failed\n", "stream": "stderr"}, separators=(",", ":"))

    found = values("\n".join([head, *[line] * 50]).encode())

    assert len(found) > 1
    assert max(map(len, found)) <= MAX_BYTES


def test_a_trace_within_lines_of_compose_is_joined_although_services_alternate() -> None:
    lines = [b"web-1  | " + HEAD, b"db-1   | one", b"web-1  | " + FRAME, b"db-1   | two", b"web-1  | " + FRAME]

    assert sorted(values(b"\n".join(lines))) == [
        b"db-1   | one",
        b"db-1   | two",
        b"web-1  | " + b"\n".join([HEAD, FRAME, FRAME]),
    ]


def test_a_stream_that_has_ended_is_not_held_until_the_end() -> None:
    lines = chain([b"web-1  | " + HEAD + b"\n"], (b"db-1   | %d\n" % n for n in range(10_000)))

    found = [line.value for line in records(*lines)]

    assert found.index(b"web-1  | " + HEAD) < 200


pieces = st.lists(
    st.sampled_from([HEAD, FRAME, b"", b" ", b"  x", b"Caused by: a", b'{"a":1}', b"{", b"}", b"text", b"\xff\0"])
)


@given(pieces, st.lists(st.integers(0)), st.integers(40, 200))
def test_all_lines_are_there_in_their_order_wherever_chunks_end(
    lines: list[bytes], places: Sequence[int], max_bytes: int
) -> None:
    text = b"\n".join(lines)

    found = records(*cut(text, places), max_bytes=max_bytes)

    assert found == records(text, max_bytes=max_bytes)
    assert b"\n".join(line.value or b"" for line in found) == text.removesuffix(b"\n")
    assert sum(line.size_bytes for line in found) == len(text)
    assert max((len(line.value or b"") for line in found), default=0) <= max_bytes


@given(st.text("\t\n {}[]\"':.()ateException#|0123-T", max_size=200), st.lists(st.integers(0)))
def test_any_text_is_kept(text: str, places: Sequence[int]) -> None:
    found = values(*cut(text.encode(), places))

    assert b"".join(found).replace(b"\n", b"") == text.replace("\n", "").encode()
