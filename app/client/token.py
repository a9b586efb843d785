"""The token that requests carry, from the environment: an argument would be visible to other users of the machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_NAME: Final = "LOG_ANALYTICS_TOKEN"


def token_in(environ: Mapping[str, str]) -> str:
    """The token, "" if there is none.

    Raises:
        ValueError: it is none, or its file cannot be read.
    """
    token, source = environ.get(_NAME, ""), _NAME
    path = environ.get(f"{_NAME}_FILE")
    if not token and path:
        source = f"{_NAME}_FILE={path}"
        try:
            token = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"{source}: the file cannot be read ({error.strerror})") from error
        except UnicodeDecodeError:
            raise ValueError(f"{source}: the file holds no token") from None
    token = token.strip()
    if not all("!" <= char <= "~" for char in token):  # it becomes a header
        raise ValueError(f"{source}: this is no token; one begins with lat_ and has no spaces")
    return token
