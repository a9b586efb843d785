"""Whether a document is a valid description of an API."""

from __future__ import annotations

from typing import Any

import urllib3.util.connection  # noqa: F401 - binds a socket when it is imported, which a unit test must not


def require_valid(document: dict[str, Any]) -> None:
    """Raises:
    Exception: it is not valid OpenAPI; says where.
    """
    # Not at the top: the import compiles dozens of grammars, for seconds, in each worker that collects the tests.
    from openapi_spec_validator import validate

    validate(document)
