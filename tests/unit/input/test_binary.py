"""Files that are no text."""

import io
import random
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from app.input.binary import binary_kind

ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + bytes(100)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("app.log"), io.BytesIO())
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("app.log", "one\n")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PNG, "a PNG image"),
        (ELF, "(ELF)"),
        (tar(), "a tar archive: tar -xOf"),
        (zipped(), "a zip archive: unzip -p"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"LPKSHHRH" + bytes(8), "journalctl"),
        (b"SQLite format 3\0", "a SQLite database"),
        (struct.pack("<h2xi32s4s32s", 7, 4711, b"pts/0", b"ts/0", b"user") + bytes(300), "many NUL bytes"),
        (random.Random(1).randbytes(10_000), "neither UTF-8 nor"),
        (zlib.compress(random.Random(2).randbytes(10_000)), "neither UTF-8 nor"),
    ],
)
def test_what_is_no_text_is_named(content: bytes, words: str) -> None:
    assert words in binary_kind(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"2026-11-29 10:15:01 INFO started\n",
        "größer 日本 😀\n".encode(),
        "größer als früher\n".encode("cp1252"),
        "日本語のログ\n".encode("shift_jis") * 100,
        "привет, мир\n".encode("cp1251") * 100,
        b"\x1b[31mERROR\x1b[0m refused\n" * 50,
        b"8=FIX.4.2\x019=65\x0135=A\x0149=SERVER\x0110=062\x01\n" * 50,
        b"a line with a \0 in it, and another one without\n" * 50,
        b"\xff\xfe one bad line\n" + b"and good ones\n" * 50,
        ("日" * 40_000).encode(),
    ],
)
def test_texts_are_none_of_that(content: bytes) -> None:
    assert binary_kind(content) == ""


@pytest.mark.parametrize("path", ["/bin/ls", "/usr/bin/env"])
def test_a_program_of_this_machine_is_seen(path: str) -> None:
    if not Path(path).exists():
        pytest.skip(f"no {path}")

    assert binary_kind(Path(path).read_bytes()[:65536])
