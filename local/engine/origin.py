"""Which requests come from a program of this machine, and which from a web page that its browser has open.

A page of any site can make a browser send a request to a port of this machine, and with a name that it points here (DNS
rebinding) it can read the response too. Browsers mark both: see Fetch Metadata (W3C) and RFC 9110, section 7.2.
"""

from __future__ import annotations

import ipaddress
from email.message import Message
from urllib.parse import urlsplit

from local.engine.errors import ACCESS_DENIED, EngineError

_OWN_SITES = ("", "none", "same-origin")


def refuse_web_pages(headers: Message) -> None:
    """Let programs pass, and what a person types into the address bar.

    Raises:
        EngineError: the request is addressed to another host than this machine, or a web page sent it.
    """
    host = headers.get("Host", "")
    if not _is_loopback(host):
        raise _refused(f"Host is {host!r}; this server answers to localhost and loopback addresses only.")
    if "Origin" in headers:
        raise _refused(f"A web page ({headers['Origin']}) may not use this server.")
    if headers.get("Sec-Fetch-Site", "") not in _OWN_SITES:
        raise _refused("A web page may not use this server.")


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refused(reason: str) -> EngineError:
    return EngineError.refused(ACCESS_DENIED, reason, "ACCESS_DENIED")
