"""A real Prometheus that scrapes a service, optionally with the shipped rules at a higher speed."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.paths import ROOT
from local.ports import LOOPBACK, free_port
from local.process import ChildProcess
from tests.support.alerts import RULE_FILES, load

START_SECS = 20.0
_ANSWER_SECS = 10
_UNIT_SECS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WINDOW = re.compile(r"(?<=\[)\w+(?=\])|(?<=offset )\w+")


@dataclass(frozen=True)
class Speed:
    """Divisors of durations: one for windows of rules, one for waits and the scrape interval."""

    windows: int
    waits: int


def faster(duration: str, speed: int) -> str:
    """A duration of PromQL, such as 5m, divided by the speed."""
    return f"{int(duration[:-1]) * _UNIT_SECS[duration[-1]] * 1000 // speed}ms"


def faster_rules(path: Path, speed: Speed) -> dict[str, Any]:
    """The rules of a file with every wait and window divided, and nothing else changed."""
    rules = load(path)
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = _WINDOW.sub(lambda found: faster(found[0], speed.windows), rule["expr"])
            if "for" in rule:
                rule["for"] = faster(rule["for"], speed.waits)
    return rules


def scraping(target: str) -> dict[str, Any]:
    """The job of prometheus.yml for the service, for one instance of it."""
    config = yaml.safe_load((ROOT / "prometheus.yml").read_text())
    [job] = [job for job in config["scrape_configs"] if job["job_name"] == "log-ingest"]
    return {**job, "static_configs": [{"targets": [target]}]}


def watching(program: str, directory: Path, target: str, speed: Speed) -> Prometheus:
    """A Prometheus that scrapes one instance as in prometheus.yml, but more often, and evaluates the rules."""
    for path in RULE_FILES:
        (directory / path.name).write_text(yaml.safe_dump(faster_rules(path, speed)))
    every = yaml.safe_load((ROOT / "prometheus.yml").read_text())["global"]
    config = {
        "global": {name: faster(duration, speed.waits) for name, duration in every.items()},
        "rule_files": [path.name for path in RULE_FILES],
        "scrape_configs": [scraping(target)],
    }
    return Prometheus(program, directory, config, f"--query.lookback-delta={faster('5m', speed.windows)}")


class Prometheus:
    """A Prometheus process with a configuration and options, and its files in a directory."""

    def __init__(self, program: str, directory: Path, config: Mapping[str, Any], *options: str) -> None:
        self._url = f"http://{LOOPBACK}:{(port := free_port())}"
        (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
        command = [
            program,
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={LOOPBACK}:{port}",
            *options,
        ]
        self._child = ChildProcess("Prometheus", command, directory / "prometheus.log")

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            LocalError: it ended, or was not ready in time.
        """
        self._child.start()
        self._child.wait_until(self._is_ready, START_SECS)

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()

    def values(self, expression: str) -> list[float]:
        """The current values of an expression, one per series."""
        answer = self._get(f"/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        return [float(series["value"][1]) for series in answer["data"]["result"]]

    def alerts(self) -> Mapping[str, str]:
        """The active alerts with their states: pending or firing."""
        active = self._get("/api/v1/alerts")["data"]["alerts"]
        return {alert["labels"]["alertname"]: alert["state"] for alert in active}

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self._url + path, timeout=_ANSWER_SECS) as answer:
            return json.load(answer)

    def _is_ready(self) -> bool:
        try:
            return self.values("up") == [1]
        except OSError:
            return False
