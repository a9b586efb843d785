"""Files that are no text: what they are, and what to do with them."""

_WINDOW_BYTES = 64 * 1024

_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"\x7fELF", "a program or library (ELF)"),
    (0, b"\xcf\xfa\xed\xfe", "a program or library (Mach-O)"),
    (0, b"\xca\xfe\xba\xbe", "a Java class or a program (Mach-O)"),
    (0, b"MZ\x90\x00", "a program or library (PE)"),
    (0, b"PK\x03\x04", "a zip archive: unzip -p prints its files"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive: 7z x -so prints its files"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (257, b"ustar", "a tar archive: tar -xOf prints its files"),
    (0, b"\x04\x22\x4d\x18", "lz4 data: lz4 -dc prints them"),
    (0, b"\x1f\x9d", "data of compress: zcat prints them"),
    (0, b"\xff\x06\x00\x00sNaPpY", "Snappy data"),
    (0, b"\x1f\x8b\x08", "compressed twice (gzip)"),
    (0, b"\x28\xb5\x2f\xfd", "compressed twice (zstd)"),
    (0, b"\xfd7zXZ\x00", "compressed twice (xz)"),
    (0, b"LPKSHHRH", "a journal of systemd: journalctl -o json --file prints its entries"),
    (0, b"ElfFile\x00", "an event log of Windows (evtx)"),
    (0, b"SQLite format 3\x00", "a SQLite database"),
    (0, b"PAR1", "a Parquet file"),
    (0, b"ARROW1", "an Arrow file"),
    (0, b"Obj\x01", "an Avro file"),
    (0, b"\xd4\xc3\xb2\xa1", "a capture of packets (pcap)"),
    (0, b"\xa1\xb2\xc3\xd4", "a capture of packets (pcap)"),
    (0, b"\x0a\x0d\x0d\x0a", "a capture of packets (pcapng)"),
)

# Signs that texts contain: bell to carriage return, those of FIX messages and of JSON sequences, escape.
_NO_TEXT = bytes(byte for byte in range(32) if byte not in b"\x01\x07\x08\t\n\x0b\x0c\r\x1b\x1d\x1e\x1f")
_MOST_NUL_SHARE = 0.1
_MOST_CONTROL_SHARE = 0.05


def binary_kind(head: bytes) -> str:
    """What data that begin like this are, if they are no text; empty for text, even if some of it is damaged."""
    for offset, magic, kind in _KINDS:
        if head.startswith(magic, offset):
            return kind
    sample = head[:_WINDOW_BYTES]
    if not sample:
        return ""
    if sample.count(0) > _MOST_NUL_SHARE * len(sample):
        return "binary data with many NUL bytes (--encoding sends it anyway)"
    controls = len(sample) - len(sample.translate(None, _NO_TEXT))
    if controls > _MOST_CONTROL_SHARE * len(sample) and not _is_utf8(sample):
        return "binary data, neither UTF-8 nor free of control characters (--encoding sends it anyway)"
    return ""


def _is_utf8(sample: bytes) -> bool:
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        return error.start > len(sample) - 4  # a character that the sample cuts off
    return True
