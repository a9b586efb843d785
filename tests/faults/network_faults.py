"""F12 to F17: faults between the service and ClickHouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from local.certificates import Certificates
from tests.faults import http_proxy, tls_proxy
from tests.faults.fault import Fault
from tests.faults.http_proxy import Exchange, Treatment
from tests.faults.tls_proxy import Handshake
from tests.faults.world import DEADLINE_SECS, Setup, World

_PROXIED = Setup(is_proxied=True)
_HTTPS = Setup(is_https=True)
_OUTAGE_SECS = 10.0
_TENTHS = [share / 10 for share in range(11)]

# Error, and whether the request is still carried out: only where ClickHouse can respond so in that case.
_ERRORS = [
    (241, False),
    (252, False),
    (243, False),
    (319, False),
    (319, True),
    (999, False),
    (999, True),
    (159, False),
    (159, True),
    (202, False),
]


def _once(how: Treatment, world: World, _number: int) -> float:
    world.engine_proxy.strike(how)
    return world.recovery_secs()


def _cut(world: World, number: int) -> float:
    world.engine_proxy.strike(http_proxy.cut_at(_TENTHS[number % len(_TENTHS)]))
    return world.recovery_secs()


def _held(world: World, _number: int) -> float:
    replies = []

    def how(exchange: Exchange) -> None:
        try:
            http_proxy.hold(2 * DEADLINE_SECS)(exchange)
        finally:
            replies.extend(exchange.replies)

    world.engine_proxy.strike(how)
    assert [reply.error_code for reply in replies] == [469], "ClickHouse did not refuse the late insert"
    return world.recovery_secs()


def _twice(after_secs: float, world: World, _number: int) -> float:
    replies = []

    def how(exchange: Exchange) -> None:
        http_proxy.duplicate(after_secs)(exchange)
        replies.extend(exchange.replies)

    world.engine_proxy.strike(how)
    assert len(replies) == 2
    return world.recovery_secs()


def _fails(world: World, number: int) -> float:
    code, is_carried_out = _ERRORS[number % len(_ERRORS)]
    world.engine_proxy.strike(http_proxy.answer_error(code, is_carried_out=is_carried_out))
    return world.recovery_secs()


def _outage(how: Treatment, world: World, _number: int) -> float:
    """Apply a treatment to every request for a while."""
    treated = world.engine_proxy.treated
    world.engine_proxy.treat_all = how
    try:
        world.pause(_OUTAGE_SECS)
    finally:
        world.engine_proxy.treat_all = None
    assert world.engine_proxy.treated > treated, "no request came by"
    return world.recovery_secs()


def _refused(world: World, _number: int) -> float:
    """Refuse connections for a while."""
    world.engine_proxy.listener.shut()
    try:
        world.wait_until(lambda: not world.is_ready(), "the service notices")
        world.pause(_OUTAGE_SECS)
    finally:
        world.engine_proxy.listener.open()
    return world.recovery_secs()


def _handshake_fails(how: Callable[[World], Handshake], reason: str, world: World, _number: int) -> float:
    """Fail the handshake of every connection for a while."""
    failures = world.service.log.count(reason)
    world.tls_proxy.fail(how(world))
    try:
        world.wait_until(lambda: world.service.log.count(reason) > failures, "the service says why")
        world.pause(_OUTAGE_SECS)
    finally:
        world.tls_proxy.handshake = None
    return world.recovery_secs()


def _of_another_authority(world: World) -> Handshake:
    return tls_proxy.present(Certificates.create(world.directory / "others"))


_OUTAGES: dict[str, Treatment] = {
    "every connection to ClickHouse reset": http_proxy.hang_up,
    "a black hole instead of ClickHouse": http_proxy.swallow,
    "503 instead of ClickHouse": http_proxy.answer_503,
    "one byte a second to ClickHouse": http_proxy.trickle,
}


def network_faults() -> Iterator[Fault]:
    """The rows of the matrix."""

    def fault(number: str, what: str, blow: Callable[[World, int], float], runs: int = 20) -> Fault:
        return Fault(number, what, blow, _PROXIED, runs)

    yield fault("F12", f"ClickHouse refuses connections for {_OUTAGE_SECS:g} s", _refused)
    for what, how in _OUTAGES.items():
        yield fault("F12", f"{what} for {_OUTAGE_SECS:g} s", partial(_outage, how))
    for what, handshake, reason in (
        ("a certificate of another authority", _of_another_authority, "certificate verify failed"),
        ("plain HTTP", lambda _world: tls_proxy.answer_without_tls, "wrong version number"),
    ):
        blow = partial(_handshake_fails, handshake, reason)
        yield Fault("F12", f"{what} where HTTPS of ClickHouse should be, for {_OUTAGE_SECS:g} s", blow, _HTTPS)
    yield fault("F13", "reply lost after ClickHouse has stored the rows", partial(_once, http_proxy.lose_the_reply), 50)
    yield fault("F14", "body of an insert cut, at every tenth of its length", _cut, 44)
    yield fault("F15", "insert held for twice its deadline, then delivered", _held)
    yield fault("F16", "insert delivered twice, at once", partial(_twice, 0.0))
    yield fault(
        "F16", "insert delivered twice, the second time after the deadline", partial(_twice, 1.5 * DEADLINE_SECS)
    )
    yield fault(
        "F17",
        "ClickHouse answers with an error: " + ", ".join(dict.fromkeys(str(code) for code, _ in _ERRORS)),
        _fails,
        40,
    )
    yield fault("F17", "an exception follows the status 200", partial(_once, http_proxy.answer_exception_after_200))
