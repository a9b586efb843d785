"""Paths of the files beside the code; no other module works out where the project is."""

from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]
SCHEMA_FILE: Final = _ROOT / "schema.sql"
MIGRATIONS_FOLDER: Final = _ROOT / "migrations"
