"""Words, written as a text of them."""


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def in_order(text: str) -> tuple[str, ...]:
    """The words of a text as they stand in it."""
    return tuple(text.split())
