"""Refuses what a web page of another site makes a browser send.

Such a page cannot read a response of another origin, but it can give a name of its own the address of this service (DNS
rebinding): the Host header shows that. And it can send requests for the sake of their effect or their cost: Origin (RFC
6454) and the headers of Fetch Metadata (W3C), which a page cannot set itself, show that. Programs send none of them.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers
from werkzeug.exceptions import Forbidden, MisdirectedRequest

from app.api.request_head import RequestHead

ANY_HOST = "*"

_SAME_SITE = ("same-origin", "none")  # none: typed into the address bar, or a bookmark


class OriginGuard:
    """Knows the names of this service.

    `allowed_hosts` are names, without ports; `*.example.org` is every name below that one, and `*` any name. localhost
    and IP addresses need no mention: no other site can have them as its name.
    """

    def __init__(self, allowed_hosts: Collection[str]) -> None:
        self._names = {name.lower() for name in allowed_hosts} | {"localhost"}

    def check(self, head: RequestHead) -> None:
        """Let a request pass.

        Raises:
            MisdirectedRequest: the Host header is not a name of this service.
            Forbidden: a page of another site sent the request.
        """
        host = head.headers.get("Host", "")
        if not self._is_own(host):
            raise MisdirectedRequest(
                f"This service is not known as {host!r}. If that is one of its names, add it to HTTP_ALLOWED_HOSTS."
            )
        if not _is_same_site(head.headers, host) and not _is_navigation(head):
            raise Forbidden("Requests from pages of other sites are refused.")

    def _is_own(self, host: str) -> bool:
        if ANY_HOST in self._names or not host:  # HTTP/1.0 has no Host, and no browser speaks it
            return True
        name = _name_in(host)
        if name in self._names or _is_address(name):
            return True
        parents = name.split(".")[1:]
        return any(f"*.{'.'.join(parents[n:])}" in self._names for n in range(len(parents)))


def _is_same_site(headers: Headers, host: str) -> bool:
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in _SAME_SITE
    origin = headers.get("Origin")  # of a browser from before Fetch Metadata
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def _is_navigation(head: RequestHead) -> bool:
    """A link was followed: the other site gets neither the response nor a frame with it."""
    headers = head.headers
    is_page = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
    return is_page and head.method in ("GET", "HEAD")


def _name_in(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
