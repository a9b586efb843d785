"""Access logs with several addresses, behind a time, with flags, and cut: whose request it was, and how large."""

import pytest

from app.formats.reading import Reading
from app.formats.text_line import TextLine, read_text_line

_REQUEST = '[01/Dec/2026:10:15:01 +0000] "GET / HTTP/1.1" 503 12 "-" "curl"'
_ENVOY = '[2026-12-01T10:15:01.123Z] "GET /status HTTP/1.1" '


def read(line: str) -> TextLine:
    return read_text_line(line, Reading.of_record(1_796_120_101_000))


@pytest.mark.parametrize(
    ("front", "host", "client", "user"),
    [
        ("192.0.2.7 - bob", None, "192.0.2.7", "bob"),
        ("192.0.2.7 - John Doe", None, "192.0.2.7", "John Doe"),
        ("shop.example 192.0.2.7 - bob", "shop.example", "192.0.2.7", "bob"),
        ("shop.example:443 192.0.2.7 - bob", "shop.example", "192.0.2.7", "bob"),
        ("203.0.113.5 192.0.2.7 - -", None, "203.0.113.5", None),
        ("203.0.113.5, 70.41.3.18 192.0.2.7 - -", None, "203.0.113.5", None),
        ("10.0.0.1 203.0.113.5, 70.41.3.18 - -", None, "10.0.0.1", None),
        ("- 192.0.2.7 - -", None, "192.0.2.7", None),
        ("2026-12-01T10:15:01.123Z 192.0.2.7 - bob", None, "192.0.2.7", "bob"),
        ("2026-12-01T10:15:01.123+00:00 2001:db8::7 - -", None, "2001:db8::7", None),
    ],
)
def test_client_and_user(front: str, host: str | None, client: str, user: str | None) -> None:
    found = read(f"{front} {_REQUEST}")
    named = [found.attributes.get(name) for name in ("server.address", "client.address", "user.name")]

    assert (found.severity, *named) == ("ERROR", host, client, user)


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (f'{_ENVOY}503 UF 7 91 5 - "-" "curl"', "91"),
        (f'{_ENVOY}503 UF,URX 7 91 5 - "-" "curl"', "91"),
        (f'{_ENVOY}503 - 7 91 5 4 "-" "curl"', "91"),
        (f'{_ENVOY}503 UF upstream_reset - "delayed connect" 7 91 5 4 "-" "curl"', "91"),
        ('[01/Dec/2026 10:15:01] "GET /status HTTP/1.1" 503 91', "91"),
        ('[01/Dec/2026 10:15:01] "GET /status HTTP/1.1" 503 -', None),
    ],
)
def test_bytes_sent_behind_flags_and_bytes_received(line: str, size: str | None) -> None:
    found = read(line)

    assert (found.severity, found.attributes.get("http.response.body.size")) == ("ERROR", size)


@pytest.mark.parametrize(
    ("line", "severity", "path"),
    [
        *[
            (f"Dec  1 10:15:01 lb haproxy[7]: 192.0.2.7:51 [01/Dec/2026:10:15:01.1] fe fe/x 0/0/0/0/0 {rest}", *said)
            for rest, *said in [
                ('408 212 - - cR-- 2/2/0/0/0 0/0 "<BADREQ>"', "WARN", None),
                ('502 212 - - SH-- 2/2/0/0/0 0/0 "GET /cut' + "x" * 900, "ERROR", None),
            ]
        ],
        ("2026-12-01 10:15:01 10.0.0.1 GET /a - 80 - 192.0.2.7 Mozilla/5.0 - 500 0 0 15 203.0.113.5", "ERROR", "/a"),
        ("2026-12-01 10:15:01 10.0.0.1 GET /a - 80 - 192.0.2.7 Mozilla/5.0 - 500 0 0 15 -", "ERROR", "/a"),
        ('127.0.0.1 -  01/Dec/2026:10:15:01 +0100 "GET /index.php" 500', "ERROR", "/index.php"),
        (f"<134>1 2026-12-01T10:15:01Z web nginx - - - 192.0.2.7 - - {_REQUEST}", "INFO", "/"),
    ],
)
def test_requests_that_are_cut_or_within_other_lines(line: str, severity: str, path: str | None) -> None:
    found = read(line)

    assert (found.severity, found.attributes.get("url.path")) == (severity, path)
    assert "http.response.status_code" in found.attributes


@pytest.mark.parametrize(
    "line",
    [
        "2026-12-01 10:15:01 192.0.2.7:1194 TLS Error: TLS handshake failed",
        "2026-12-01 10:15:01 bob/192.0.2.7:1194 TLS Error: TLS handshake failed",
        "1:M 01 Dec 2026 10:15:01.123 * Connecting to MASTER 10.0.0.1:6379",
        '[INFO] 10.0.0.7:5151 - 33 "A IN example.org. udp 29 false 512" NOERROR qr,rd,ra 58 0.001s',
    ],
)
def test_an_address_with_a_port_is_no_place_in_the_code(line: str) -> None:
    assert not read(line).attributes.keys() & {"code.file.path", "code.line.number", "log.logger"}


def test_what_a_request_took_is_no_service_and_its_host_is_not_that_of_the_router() -> None:
    line = 'heroku[router]: at=info path="/" host=shop.example connect=1ms service=18ms status=503'
    found = read(f"2026-12-01T10:15:01+00:00 {line}")

    assert (found.service, "host.name" in found.attributes) == ("heroku", False)
