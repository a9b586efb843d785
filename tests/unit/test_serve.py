"""The process of the service."""

import subprocess
import sys

_SERVES_AS_STARTED = """
import gc
gc.disable()  # as the entry point does before it imports the service
from app.serve import configure_memory
configure_memory()
assert gc.isenabled()
"""


def test_garbage_is_collected_while_the_service_runs() -> None:
    subprocess.run([sys.executable, "-c", _SERVES_AS_STARTED], check=True)
