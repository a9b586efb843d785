"""The root folder of the project; no other module outside the service determines it."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
