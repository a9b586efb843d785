"""Masking as the settings say it. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Final

from app.domain.masking.cards import CARDS
from app.domain.masking.emails import EMAILS
from app.domain.masking.ibans import IBANS
from app.domain.masking.masking import Masking
from app.domain.masking.passwords import PASSWORDS
from app.domain.masking.patterns import Pattern, parse_mask_patterns
from app.domain.masking.rule import Rule
from app.domain.masking.tokens import TOKENS

# In the order in which they are applied: a password is masked whole, whatever it looks like.
RULES: Final[Mapping[str, Rule]] = {rule.name: rule for rule in (PASSWORDS, TOKENS, CARDS, IBANS, EMAILS)}


def parse_mask(text: str) -> tuple[Rule, ...]:
    """The rules of a setting, comma-separated, in a fixed order.

    Raises:
        ValueError: one is not known; the message says which there are.
    """
    named = {part.strip().lower() for part in text.split(",")} if text.strip() else set()
    if not named <= RULES.keys():
        raise ValueError(f"must be one or more of {', '.join(RULES)}, comma-separated")
    return tuple(rule for name, rule in RULES.items() if name in named)


def parse_patterns_to_mask(text: str) -> tuple[Pattern, ...]:
    """The patterns of a setting; raises ValueError as `parse_mask_patterns` does."""
    return parse_mask_patterns(text, (*RULES, "binary"))


def masking_of(names: str, patterns: str) -> Masking | None:
    """The masking by these settings; None if nothing is masked."""
    rules, own = parse_mask(names), parse_patterns_to_mask(patterns)
    return Masking(rules, own) if rules or own else None


def reading_of_masking(names: str, patterns: str) -> Mapping[str, str]:
    """What of these settings determines which rows a record becomes; nothing if nothing is masked.

    Patterns are not shown: they may tell what secrets look like.
    """
    rules, own = parse_mask(names), parse_patterns_to_mask(patterns)
    found = {"MASK": ",".join(rule.name for rule in rules)} if rules else {}
    if own:
        found["MASK_PATTERNS"] = hashlib.sha256("\n".join(map(" ".join, own)).encode()).hexdigest()[:16]
    return found
