"""Secrets of tokens for tests: of the form of real ones, and the same in every worker, so that ids of tests are."""

import base64
import hashlib


def secret_of(name: str) -> str:
    """The secret of this name."""
    digest = hashlib.sha256(name.encode()).digest()
    return "lat_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")
