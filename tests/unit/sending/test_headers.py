"""Headers of the records, and the zone of this machine."""

from pathlib import Path

import pytest

from sending.headers import is_timezone, machine_timezone, parsed_header, record_headers


def test_options_become_headers() -> None:
    headers = record_headers(service="pay", host="h1", timezone="Asia/Tokyo", others=[("x", b"1"), ("x", b"2")])

    assert headers == [
        ("service.name", b"pay"),
        ("host.name", b"h1"),
        ("timezone", b"Asia/Tokyo"),
        ("x", b"1"),
        ("x", b"2"),
    ]


def test_nothing_is_said_that_is_not_known() -> None:
    assert record_headers(service=None, host=None, timezone="", others=[]) == []
    assert record_headers(service=None, host=None, timezone="none", others=[]) == []


def test_a_header_by_its_name_counts_before_an_option() -> None:
    others = [("timezone", b"Asia/Seoul")]

    assert record_headers(service=None, host=None, timezone="Asia/Tokyo", others=others) == others


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a=b", ("a", b"b")),
        ("a=", ("a", b"")),
        ("a=b=c", ("a", b"b=c")),
        (" a = b", ("a", b" b")),
        ("ä=ö", ("ä", "ö".encode())),
    ],
)
def test_a_header_is_a_name_and_a_value(text: str, header: tuple[str, bytes]) -> None:
    assert parsed_header(text) == header


@pytest.mark.parametrize("text", ["", "a", "=b", " =b"])
def test_what_is_no_header_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  nobody reads its text
        parsed_header(text)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("Europe/Berlin", True),
        ("UTC", True),
        ("none", True),
        ("America/Argentina/Buenos_Aires", True),
        ("Berlin", False),
        ("+09:00", False),
        ("", False),
        ("../../etc/passwd", False),
    ],
)
def test_zones_are_those_of_the_tz_database(name: str, is_one: bool) -> None:
    assert is_timezone(name) is is_one


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("Asia/Tokyo", "Asia/Tokyo"),
        (":Asia/Tokyo", "Asia/Tokyo"),
        (":/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        ("/usr/share/zoneinfo/posix/Asia/Tokyo", "Asia/Tokyo"),
        ("JST-9", ""),
        ("CET-1CEST,M3.5.0,M10.5.0/3", ""),
        ("", ""),
        (":", ""),
        ("UTC", ""),
        ("Etc/UTC", ""),
        ("GMT0", ""),
        ("/no/such/file", ""),
    ],
)
def test_the_variable_tz_counts_first(value: str, zone: str, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/timezone").write_text("Europe/Berlin\n")

    assert machine_timezone({"TZ": value}, tmp_path) == zone


@pytest.mark.parametrize(
    ("target", "zone"),
    [
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        ("../usr/share/zoneinfo/America/New_York", "America/New_York"),
        ("/var/db/timezone/zoneinfo/Europe/Paris", "Europe/Paris"),
        ("/usr/share/zoneinfo/Etc/UTC", ""),
        ("/usr/share/zoneinfo/UTC", ""),
    ],
)
def test_a_link_names_the_zone(target: str, zone: str, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/localtime").symlink_to(target)

    assert machine_timezone({}, tmp_path) == zone


@pytest.mark.parametrize(("content", "zone"), [("Asia/Tokyo\n", "Asia/Tokyo"), ("Etc/UTC\n", ""), ("\xff?", "")])
def test_a_file_names_the_zone_where_there_is_no_link(content: str, zone: str, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/localtime").write_bytes(b"TZif2")
    (tmp_path / "etc/timezone").write_text(content)

    assert machine_timezone({}, tmp_path) == zone


def test_without_all_of_that_the_zone_is_not_known(tmp_path: Path) -> None:
    assert machine_timezone({}, tmp_path) == ""
