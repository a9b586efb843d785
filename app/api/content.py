"""The media types of a request body or a response."""

from collections.abc import Mapping

from pydantic import BaseModel

Content = Mapping[str, type[BaseModel] | None]
"""Media types, each with the model of its JSON, or None if it is not JSON. `*/*` stands for every type."""
