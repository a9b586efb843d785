"""The error of a measurement that cannot be finished."""


class BenchError(Exception):
    """Nothing was measured; the text is for the person at the terminal."""
