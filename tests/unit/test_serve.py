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

_IMPORTS_ARROW = """
from app.__main__ import main
main(["schema"])
import pyarrow
assert pyarrow.default_memory_pool().backend_name == "system"
"""


def test_garbage_is_collected_while_the_service_runs() -> None:
    subprocess.run([sys.executable, "-c", _SERVES_AS_STARTED], check=True)


def test_arrow_leaves_memory_to_the_systems_allocator() -> None:
    subprocess.run([sys.executable, "-c", _IMPORTS_ARROW], check=True, capture_output=True)
