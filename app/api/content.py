"""What a body or an answer may consist of."""

from collections.abc import Mapping

from pydantic import BaseModel

Content = Mapping[str, type[BaseModel] | None]
"""Media types. Each has the model of its JSON, or none if it is anything else. `*/*` stands for every type."""
