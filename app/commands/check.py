"""`python -m app check`: placeholder for the doctor, filled next."""

from app.settings import Settings


def check(settings: Settings) -> int:
    """Placeholder."""
    raise NotImplementedError(settings)
