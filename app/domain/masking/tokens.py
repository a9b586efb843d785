"""Tokens and keys that are known by their form: JWT, those of clouds and code hosts, private keys, Bearer. Pure."""

import base64
import re
from typing import Final

from app.domain.masking.rule import BEGINS, Rule, mark, places_of
from app.domain.words import lowered

_NAME: Final = "tokens"
_WORD: Final = "[A-Za-z0-9_-]"
_FORMS: Final = (
    rf"eyJ{_WORD}{{8,}}\.{_WORD}{{4,}}(?:\.{_WORD}*){{0,3}}",  # JWT
    r"A(?:KI|SI|BI|CC)A[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS
    r"gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}",
    rf"gl(?:pat|ptt|rt|dt|soat)-{_WORD}{{20,}}",  # GitLab
    r"xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}",  # Slack
    r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{16,}",  # Stripe
    rf"AIza{_WORD}{{35}}|ya29\.{_WORD}{{20,}}|GOCSPX-{_WORD}{{20,}}",  # Google
    rf"sk-{_WORD}{{20,}}|hf_[A-Za-z0-9]{{30,}}|npm_[A-Za-z0-9]{{36}}|pypi-{_WORD}{{16,}}|dop_v1_[a-f0-9]{{64}}",
    rf"SG\.{_WORD}{{16,64}}\.{_WORD}{{16,}}|SK[0-9a-f]{{32}}|lat_{_WORD}{{43}}",  # SendGrid, Twilio, this service
)
_SLACK_HOOK: Final = r"(?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{10,}"
_PRIVATE_KEY: Final = (
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[^-]|-(?!----END))*(?:-----END[A-Z0-9 ]{0,60}-----)?"
)
_CREDENTIALS: Final = r"(?P<scheme>(?:Bearer|Basic)(?:\s|%20|\+){1,4})(?P<secret>[A-Za-z0-9._~+/=%-]{6,})"
_TOKENS: Final = re.compile(f"{_PRIVATE_KEY}|{_SLACK_HOOK}|{BEGINS}(?:{'|'.join(_FORMS)}|(?i:{_CREDENTIALS}))")
_BEGIN: Final = (
    *("eyJ", "AKIA", "ASIA", "ABIA", "ACCA", "gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_", "glpat", "glptt"),
    *("glrt", "gldt", "glsoat", "xox", "xapp-", "sk_", "rk_", "pk_", "whsec_", "AIza", "ya29", "GOCSPX-", "sk-", "hf_"),
    *("npm_", "pypi-", "dop_v1_", "SG.", "SK", "lat_", "-----BEGIN "),
)
_JWT: Final = "eyJ"
_WORDS: Final = re.compile(f"{_WORD}*")
_SCHEMES: Final = ("bearer", "basic")
_HOOKS: Final = "hooks.slack.com/services/"
_SURELY_NO_WORD: Final = 24


def _masked(text: str) -> tuple[str, int]:
    parts: list[str] = []
    count = kept_to = no_jwt_to = 0  # no_jwt_to: none begins before, so that a long text is not read again and again
    hooks = (place + len(_HOOKS) for place in places_of(text, (_HOOKS,)))
    for place in sorted({*places_of(text, _BEGIN), *places_of(lowered(text), _SCHEMES), *hooks}):
        is_jwt = text.startswith(_JWT, place)
        found = _TOKENS.match(text, place) if place >= (max(kept_to, no_jwt_to) if is_jwt else kept_to) else None
        if is_jwt and found is None and place >= no_jwt_to:
            no_jwt_to = _WORDS.match(text, place).end()  # type: ignore[union-attr]
        if found is not None and _is_secret(found["scheme"], found["secret"]):
            parts += (text[kept_to:place], found["scheme"] or "", mark(_NAME))
            kept_to = found.end()
            count += 1
    return "".join((*parts, text[kept_to:])), count


def _is_secret(scheme: str | None, secret: str) -> bool:
    if scheme is None:
        return True
    return _is_basic(secret) if scheme[:2].lower() == "ba" else _is_bearer(secret)


def _is_bearer(secret: str) -> bool:
    """Whether it is no word of a sentence, such as "Bearer authentication"."""
    return len(secret) >= _SURELY_NO_WORD or not secret.strip(".").isalpha()


def _is_basic(secret: str) -> bool:
    """Whether it is user and password, with a colon between them."""
    try:
        return b":" in base64.b64decode(secret.replace("%3D", "=").rstrip(".=") + "==")
    except ValueError:
        return False


TOKENS: Final = Rule(
    _NAME,
    r"eyj|a(?:ki|si|bi|cc)a[a-z0-9]{16}|gh[oprsu]_|github_pat_|gl(?:pat|ptt|rt|dt|soat)-|xox[a-z]|xapp-|hooks\.slack"
    r"|[srp]k_(?:live|test)_|whsec_|aiza|ya29|gocspx-|sk-[a-z0-9_-]{20}|hf_|npm_|pypi-|dop_v1_|sg\.|sk[0-9a-f]{32}|lat_"
    r"|private key|bearer|basic",
    _masked,
)
