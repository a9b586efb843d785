"""`python -m grafana.source`: writes the dashboards to grafana/dashboards."""

import json
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.source import incident, ingestion, log_overview, performance, users

DIRECTORY = Path(__file__).resolve().parents[1] / "dashboards"


def files() -> Mapping[str, str]:
    """The text of each dashboard file, by its name."""
    dashboards = (module.dashboard() for module in (incident, ingestion, log_overview, performance, users))
    return {f"{dashboard.uid}.json": _as_text(dashboard) for dashboard in dashboards}


def _as_text(dashboard: object) -> str:
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, text in files().items():
        (DIRECTORY / name).write_text(text)
