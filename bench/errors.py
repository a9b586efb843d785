"""The error of a measurement that failed."""


class BenchError(Exception):
    """Nothing was measured; the text explains why to the user."""
