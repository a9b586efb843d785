"""`python -m app schema`: prints the statements that make the table. Connects to nothing."""

from functools import partial

from app.build.table import table_statements
from app.console import run_command, say
from app.settings import ClickHouseSettings


def print_schema(settings: ClickHouseSettings, *, cluster: str | None) -> int:
    """Print the statements for one server, or for the cluster with this name. Returns the exit code."""
    return run_command(partial(_print, settings, cluster), cut_off=0)


def _print(settings: ClickHouseSettings, cluster: str | None) -> int:
    made = table_statements(settings, cluster)
    say("\n\n".join(f"{statement};" for statement in made))
    return 0
