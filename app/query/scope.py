"""Which logs a caller may see: a condition that is added to every statement."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from app.query.tree import Everything, Node, all_of


class Scope(Struct, frozen=True):
    """The logs that a tree matches; by default all of them."""

    tree: Node = field(default_factory=Everything)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is hidden."""
        return isinstance(self.tree, Everything)

    def within(self, other: Scope) -> Scope:
        """The logs that are in both scopes."""
        if self.is_everything or other.is_everything:
            return other if self.is_everything else self
        return Scope(all_of([other.tree, self.tree]))


EVERYTHING: Final = Scope()
