"""Where the files beside the code are: the one place that knows how deep this package lies."""

from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]
SCHEMA_FILE: Final = _ROOT / "schema.sql"
MIGRATIONS_FOLDER: Final = _ROOT / "migrations"
