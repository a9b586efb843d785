"""Brokers for faults: one behind a proxy, or several that replicate each other's records."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.kafka import KafkaServer, random_cluster_id
from local.ports import LOOPBACK, free_port


def proxied_broker(directory: Path, upstream_port: int, proxy_port: int) -> KafkaServer:
    """A broker with a second listener, which it advertises at the address of the proxy."""
    port, controller_port = free_port(), free_port()
    plain = f"PLAINTEXT://{LOOPBACK}:{port}"
    return KafkaServer(
        directory,
        port,
        properties={
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
            "listeners": f"{plain},PROXIED://{LOOPBACK}:{upstream_port},CONTROLLER://{LOOPBACK}:{controller_port}",
            "advertised.listeners": f"{plain},PROXIED://{LOOPBACK}:{proxy_port}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
        },
    )


def brokers(directory: Path, count: int, *, version: str | None = None) -> list[KafkaServer]:
    """A cluster of three or more brokers as recommended: a record is acknowledged when two of them have it."""
    controllers = {node_id: f"{LOOPBACK}:{free_port()}" for node_id in range(1, count + 1)}
    common = {
        "controller.quorum.voters": ",".join(f"{node_id}@{address}" for node_id, address in controllers.items()),
        "controller.quorum.election.timeout.ms": "500",  # here they wait for each other's votes
        "controller.quorum.fetch.timeout.ms": "1000",
        "min.insync.replicas": "2",
        "offsets.topic.replication.factor": str(count),
    }
    cluster_id = random_cluster_id()

    def broker(node_id: int, controller: str) -> KafkaServer:
        port = free_port()
        listeners = f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{controller}"
        return KafkaServer(
            directory / str(node_id),
            port,
            version=version,
            properties=common | {"node.id": str(node_id), "listeners": listeners},
            java_options=["-Xmx256m"],
            cluster_id=cluster_id,
        )

    return [broker(node_id, controller) for node_id, controller in controllers.items()]


def start_together(nodes: Sequence[KafkaServer]) -> None:
    """Start them and wait for all: none is ready before a majority is.

    Raises:
        LocalError: one of them did not start.
    """
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(KafkaServer.start, nodes))
