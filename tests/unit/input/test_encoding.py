"""Texts that are not UTF-8."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.input.encoding import Utf8, encoding_of, is_encoding
from tests.unit.input.chunks import cut

TEXT = "2026-11-29 10:15:01 ERROR größer als 日本 😀\n"
BOMS = {
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


def converted(encoding: str, *chunks: bytes) -> bytes:
    return b"".join(Utf8(encoding).chunks(chunks))


@pytest.mark.parametrize("encoding", BOMS)
def test_a_byte_order_mark_shows_the_encoding_and_is_dropped(encoding: str) -> None:
    content = BOMS[encoding] + TEXT.encode(encoding)

    assert encoding_of(content) == encoding
    assert converted(encoding, content) == TEXT.encode()


def test_the_mark_of_utf8_is_dropped() -> None:
    content = codecs.BOM_UTF8 + TEXT.encode()

    assert encoding_of(content) == "utf-8"
    assert converted("utf-8", content) == TEXT.encode()


def test_a_mark_may_come_byte_by_byte() -> None:
    chunks = [bytes([byte]) for byte in codecs.BOM_UTF8 + b"ab"]

    assert converted("", *chunks[:1], b"", *chunks[1:]) == b"ab"
    assert converted("", *chunks[:2]) == codecs.BOM_UTF8[:2]
    assert converted("", b"a", *chunks[:3]) == b"a" + codecs.BOM_UTF8


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_shows_by_its_nul_bytes(encoding: str) -> None:
    assert encoding_of(TEXT.encode(encoding)) == encoding


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a",
        b"2026-11-29 INFO x\n",
        TEXT.encode(),
        TEXT.encode("latin-1", errors="replace"),
        b"\0" * 100,
        b"one\0two\0three\0",
    ],
)
def test_other_texts_show_no_encoding(content: bytes) -> None:
    assert encoding_of(content) == ""


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8-sig", "utf-16", "shift_jis", "koi8-r", "UTF8"])
def test_an_encoding_that_is_said_is_read(encoding: str) -> None:
    text = {"shift_jis": "日本", "koi8-r": "привет"}.get(encoding, "größer")

    assert is_encoding(encoding)
    assert converted(encoding, text.encode(encoding)) == text.encode()


@pytest.mark.parametrize("name", ["", "no-such", "base64", "rot13", "zip"])
def test_what_is_no_encoding_of_text_is_known(name: str) -> None:
    assert not is_encoding(name)


@pytest.mark.parametrize("encoding", ["", "utf-8", "UTF8"])
def test_bytes_that_are_taken_for_utf8_stay_as_they_are(encoding: str) -> None:
    assert converted(encoding, b"\xff\xfe\0 \x80", b"\xef") == b"\xff\xfe\0 \x80\xef"


def test_characters_that_the_encoding_does_not_have_are_replaced_and_counted() -> None:
    utf8 = Utf8("cp1252")

    assert b"".join(utf8.chunks([b"a\x81b\x81"])) == "a�b�".encode()
    assert utf8.unreadable == 2


def test_pauses_are_passed_on_and_nothing_else_is_empty() -> None:
    content = TEXT.encode("utf-16-le")

    chunks = list(Utf8("utf-16-le").chunks([content[:3], b"", content[3:4], content[4:]]))

    assert chunks.count(b"") == 1
    assert b"".join(chunks) == TEXT.encode()


@given(st.sampled_from([*BOMS, "utf-8", "utf-16"]), st.text(), st.lists(st.integers(0)), st.booleans())
def test_chunks_may_end_anywhere(encoding: str, text: str, places: list[int], has_bom: bool) -> None:
    content = (BOMS.get(encoding, b"") if has_bom else b"") + text.removeprefix("\ufeff").encode(encoding)
    expected = text.removeprefix("\ufeff").removeprefix("\ufeff" if not has_bom else "")

    assert converted(encoding, *cut(content, places)) == expected.encode()
