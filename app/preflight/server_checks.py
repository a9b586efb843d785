"""Checks of the servers behind ClickHouse's address: whether delivery asks all that may have stored a row."""

from collections.abc import Iterator
from typing import Final

from app.preflight.findings import Finding, ok, problem, warning
from app.preflight.probes import ClickHouseProbe, Servers, Table, Unknown
from app.settings import ClickHouseSettings

_MAX_APART_SECS: Final = 1.0


def check_servers(probe: ClickHouseProbe, settings: ClickHouseSettings) -> Iterator[Finding]:
    """The findings; none for one server of its own, which needs no setting."""
    if probe.servers is None:
        yield from _check_table_alone(probe)
    elif isinstance(probe.servers, Unknown):
        yield problem(
            "servers",
            f"those of cluster {settings.cluster} could not be asked: {probe.servers.reason}. After a failed insert"
            " nothing is stored until all of them answer",
            f"Correct CLICKHOUSE_CLUSTER, remove servers that are gone from the cluster,"
            f" or GRANT READ ON REMOTE TO {settings.user}",
        )
    else:
        yield _check_clocks(probe.servers, settings)


def _check_table_alone(probe: ClickHouseProbe) -> Iterator[Finding]:
    engine = probe.table.engine if isinstance(probe.table, Table) else ""
    if engine.startswith("Shared"):
        yield problem(
            "servers",
            f"{engine} is served by several servers behind one address: after a failed insert the one that is asked may"
            " not have the rows yet, and they could be stored twice",
            "CLICKHOUSE_CLUSTER=default, so that all of them are asked",
        )
    elif engine.startswith("Replicated"):
        yield warning(
            "servers",
            f"{engine}: exactly once holds if CLICKHOUSE_URL is the address of one replica, and not of a load balancer",
            "Set CLICKHOUSE_CLUSTER to the name of the cluster if it is the address of several",
        )


def _check_clocks(servers: Servers, settings: ClickHouseSettings) -> Finding:
    found = f"{servers.count} of cluster {settings.cluster} answer"
    apart = servers.clocks_apart_secs
    if apart >= settings.insert_deadline_secs:
        return problem(
            "servers",
            f"{found}, but their clocks are {apart:.1f} s apart: those ahead refuse every insert",
            "Synchronize their clocks by NTP",
        )
    if apart > _MAX_APART_SECS:
        return warning("servers", f"{found}, but their clocks are {apart:.1f} s apart", "Synchronize them by NTP")
    return ok("servers", f"{found}, their clocks are less than {_MAX_APART_SECS:g} s apart")
