"""What `python -m app` imports before it serves."""

import json
import os
import subprocess
import sys

from local.paths import ROOT
from local.service import as_shipped, clean_environment

_START = """
import json, sys
from app.__main__ import main
code = main([])
print(json.dumps([code, [name for name, module in sys.modules.items() if module]]))
"""
# The last thing that is looked at before the service starts: nobody is said to be allowed to read.
_CANNOT_START = {"HTTP_HOST": "0.0.0.0"}  # noqa: S104


def imported_by_start() -> list[str]:
    """The modules that are imported when the service would start."""
    environ = clean_environment(os.environ, _CANNOT_START) | {"PYTHONPATH": ""}  # with all packages that are installed
    command = [sys.executable, "-c", _START]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    code, modules = json.loads(done.stdout)
    assert code == 2, done.stderr
    return list(modules)


def test_the_start_imports_neither_what_it_does_not_need_nor_what_commands_need() -> None:
    modules = imported_by_start()

    assert "app.serve" in modules
    assert {"numpy", "pandas", "app.commands", "app.client"}.isdisjoint(modules)


def test_a_service_as_it_is_shipped_keeps_what_python_compiles() -> None:
    assert "PYTHONDONTWRITEBYTECODE" not in as_shipped({"PYTHONDONTWRITEBYTECODE": "1"})
