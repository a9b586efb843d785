"""Whether it is said who may send syslog, where others than this machine can: syslog knows no tokens."""

from app.domain.networks import ANY, is_loopback, names_of_networks
from app.preflight.findings import Finding, ok, problem, warning
from app.settings import Settings


def host_of_syslog(settings: Settings) -> str:
    """The address to listen on."""
    return settings.syslog.host or settings.http.host


def is_syslog_on(settings: Settings) -> bool:
    """Whether this instance listens for syslog."""
    return settings.syslog.is_on and "receive" in settings.service.roles


def syslog_refusal(settings: Settings) -> str | None:
    """Why the service must not start as it is, and the ways out; None if it may."""
    syslog, host = settings.syslog, host_of_syslog(settings)
    if not is_syslog_on(settings) or is_loopback(host) or syslog.allowed_networks or syslog.needs_certificates:
        return None
    name = "SYSLOG_HOST" if syslog.host else "HTTP_HOST"
    return (
        f"{name} is {host!r}, so others can connect, and nothing says who may send syslog, which knows no tokens: set"
        " SYSLOG_ALLOWED_NETWORKS to their networks, such as 10.0.0.0/8, or to * for whoever can connect; or"
        " SYSLOG_HOST=127.0.0.1; or SYSLOG_TLS_CLIENT_CA_FILE, and no SYSLOG_PORT and SYSLOG_UDP_PORT"
    )


def syslog_exposure(settings: Settings) -> str | None:
    """A sentence for the start if anybody who can connect may send logs; None otherwise."""
    host = host_of_syslog(settings)
    allows_any = ANY in names_of_networks(settings.syslog.allowed_networks)
    if not is_syslog_on(settings) or is_loopback(host) or settings.syslog.needs_certificates or not allows_any:
        return None
    return f"SYSLOG_ALLOWED_NETWORKS=*: everybody who can connect to {host} may send logs by syslog"


def check_syslog(settings: Settings) -> Finding:
    """The same as a finding."""
    if reason := syslog_refusal(settings):
        return problem("syslog", f"the service will not start: {reason}")
    if sentence := syslog_exposure(settings):
        return warning("syslog", sentence, "Name the networks, or make sure that nobody else can connect")
    if settings.syslog.is_on and not is_syslog_on(settings):
        return ok("syslog", "ROLES has no receive, so the ports of syslog have no effect here")
    return ok("syslog", f"listens on {host_of_syslog(settings)}" if settings.syslog.is_on else "off")
