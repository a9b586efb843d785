"""Checks for the role `receive`: whether receipts will be believed, and whether the topic takes what is received."""

from app.preflight.findings import Finding, ok, problem, warning
from app.preflight.probes import Topic, Unknown
from app.settings import Settings

_MAKE_ONE = "`openssl rand -base64 32` makes one"
_SMALL_BYTES = 256 * 1024


def unsigned(settings: Settings) -> str | None:
    """A sentence for the start if nobody will believe the receipts of this instance; None otherwise."""
    if settings.receive.keys or not _has(settings, "receive") or _has(settings, "ingest"):
        return None
    return (
        "RECEIVE_KEY is unset: what this instance receives is not signed, so its logs have attributes"
        f" unverified.log.receiver.*. Set it to the same secret as where logs are ingested; {_MAKE_ONE}"
    )


def check_receipts(settings: Settings) -> list[Finding]:
    """The finding about the key, for instances that receive."""
    if not _has(settings, "receive"):
        return []
    if settings.receive.keys:
        return [ok("receipts", "signed with RECEIVE_KEY")]
    if sentence := unsigned(settings):
        return [warning("receipts", sentence)]
    return [
        warning(
            "receipts",
            "RECEIVE_KEY is unset, so each instance makes a key of its own at each start: logs that another instance"
            " reads, or that are read after a restart, have attributes unverified.log.receiver.*",
            f"Set RECEIVE_KEY to the same secret everywhere; {_MAKE_ONE}",
        )
    ]


def check_topic(topic: Topic | Unknown | None, name: str) -> list[Finding]:
    """Findings about the topic that logs are put on; none if it does not exist yet or cannot be described."""
    if not isinstance(topic, Topic):
        return []
    return [_check_rights(topic, name), *_check_size(topic)]


def _check_rights(topic: Topic, name: str) -> Finding:
    if topic.operations is None:
        return warning("right to write", f"Kafka does not report our rights on topic {name}", "Write is needed")
    if "WRITE" not in topic.operations:
        return problem("right to write", f"topic {name} may not be written", f"Allow Write on topic {name}")
    return ok("right to write", f"topic {name} may be written")


def _check_size(topic: Topic) -> list[Finding]:
    if isinstance(topic.configs, Unknown) or "max.message.bytes" not in topic.configs:
        return []
    most_bytes = int(topic.configs["max.message.bytes"])
    text = f"an event may have {most_bytes:,} bytes (max.message.bytes)"
    if most_bytes < _SMALL_BYTES:
        return [warning("event size", f"{text}: longer ones are refused", "Raise max.message.bytes of the topic")]
    return [ok("event size", text)]


def _has(settings: Settings, role: str) -> bool:
    return role in settings.service.roles
