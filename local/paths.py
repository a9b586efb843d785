"""Where the project is: the one place outside the service that works it out."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
