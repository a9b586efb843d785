"""Whose request came through proxies: nothing that a client can write may count."""

from __future__ import annotations

from typing import Any

import pytest

from app.http.proxies import TrustedProxies

CLIENT, PROXY, OUTER, INVENTED = "198.51.100.7", "10.0.0.9", "203.0.113.4", "1.2.3.4"
TRUSTED = "10.0.0.0/8, 203.0.113.4,2001:db8::/32"


def seen(trusted: str, peer: str, forwarded_for: str | None = None, proto: str | None = None) -> tuple[str, str]:
    environ: dict[str, Any] = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http"}
    if forwarded_for is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded_for
    if proto is not None:
        environ["HTTP_X_FORWARDED_PROTO"] = proto
    TrustedProxies(trusted).apply(environ)
    return environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]


@pytest.mark.parametrize("trusted", ["", TRUSTED])
def test_what_a_client_says_itself_does_not_count(trusted: str) -> None:
    assert seen(trusted, CLIENT, INVENTED, "https") == (CLIENT, "http")


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        (CLIENT, CLIENT),
        (f"{INVENTED}, {CLIENT}", CLIENT),
        (f"{INVENTED},{CLIENT}, {OUTER}", CLIENT),
        (f"{INVENTED}, 10.7.7.7, {CLIENT}, {OUTER}", CLIENT),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),  # proxies alone: the farthest of them sent it
        (f"{CLIENT}:51234", CLIENT),
        ("[2001:4860::1]:443", "2001:4860::1"),
        ("2001:4860::1, 2001:db8::5", "2001:4860::1"),
        ("::ffff:198.51.100.7", CLIENT),
        (f"{INVENTED}, unknown", PROXY),
        (f"{INVENTED}, unknown, {OUTER}", OUTER),
        (f"{INVENTED}, , {OUTER}", OUTER),
        ("", PROXY),
        (None, PROXY),
        ("\x00, <script>", PROXY),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_trusted_proxy(forwarded_for: str | None, client: str) -> None:
    assert seen(TRUSTED, PROXY, forwarded_for)[0] == client


def test_a_proxy_is_recognised_on_a_socket_for_both_kinds_of_addresses() -> None:
    assert seen(TRUSTED, f"::ffff:{PROXY}", CLIENT)[0] == CLIENT


@pytest.mark.parametrize(
    ("forwarded_for", "proto", "scheme"),
    [
        (CLIENT, "https", "https"),
        (CLIENT, "HTTPS", "https"),
        (CLIENT, "http", "http"),
        (CLIENT, "https, http", "http"),  # the client has sent the first
        (f"{CLIENT}, {OUTER}", "https, http", "https"),  # the outer proxy has
        (f"{CLIENT}, {OUTER}", "https", "https"),
        (None, "https", "https"),
        (CLIENT, "gopher", "http"),
        (CLIENT, "", "http"),
    ],
)
def test_the_scheme_is_that_of_the_client(forwarded_for: str | None, proto: str, scheme: str) -> None:
    assert seen(TRUSTED, PROXY, forwarded_for, proto)[1] == scheme


def test_with_a_star_whoever_connects_is_a_proxy_and_nobody_in_the_header_is() -> None:
    assert seen("*", "169.254.8.129", f"{INVENTED}, {CLIENT}", "https") == (CLIENT, "https")
    assert seen(f"*,{OUTER}", "169.254.8.129", f"{INVENTED}, {CLIENT}, {OUTER}")[0] == CLIENT
    assert seen("*", "", CLIENT)[0] == CLIENT


@pytest.mark.parametrize(
    ("text", "peer", "is_trusted"),
    [("", PROXY, False), (TRUSTED, PROXY, True), (TRUSTED, CLIENT, False), (TRUSTED, "", False), ("*", CLIENT, True)],
)
def test_who_is_a_proxy(text: str, peer: str, is_trusted: bool) -> None:
    assert TrustedProxies(text).trust(peer) is is_trusted
