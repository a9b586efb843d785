"""The image, built from the Dockerfile and started, without Kafka and ClickHouse.

test_cloud_run.py has them too, and Cloud Run's contract.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import free_port
from tests.image.builder import Image, why_impossible
from tests.image.running import Service, running

PACKAGES_MAX_MB = 235
CLOUD_RUN_MEMORY_MIB = 512  # the least that Cloud Run has for the second generation
_NOT_COMPILED = """
import os, sys
import app.__main__, app.build.service, app.serve
files = [getattr(module, "__cached__", None) for module in sys.modules.values()]
print([file for file in files if file and not os.path.exists(file)])
"""

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(why_impossible() is not None, reason=str(why_impossible())),
]


@pytest.fixture
def service(image: Image, tmp_path: Path) -> Iterator[Service]:
    nowhere = f"127.0.0.1:{free_port()}"
    environment = {"KAFKA_BOOTSTRAP_SERVERS": nowhere, "CLICKHOUSE_URL": f"http://{nowhere}"}
    with running(image, environment, tmp_path / "image.log") as service:
        yield service


def test_it_is_alive_but_not_ready_while_kafka_and_clickhouse_are_unavailable(service: Service) -> None:
    assert (service.status("/live"), service.status("/ready")) == (200, 503)
    assert service.most_memory_mib < CLOUD_RUN_MEMORY_MIB


def test_its_health_check_distinguishes_a_running_service_from_a_stopped_one(service: Service) -> None:
    running = service.health_check()
    service.terminate()
    assert (running, service.health_check()) == (0, 1)


def test_sigterm_ends_it_in_time_also_after_its_cpu_was_frozen(service: Service) -> None:
    os.kill(pid := service.pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGCONT)
    assert service.status("/live") == 200
    assert service.terminate() == 0, service.process.log_tail()


def test_it_does_not_start_until_it_is_said_who_may_read(image: Image) -> None:
    with image.container() as container:
        command = container.command(image.config["Cmd"], {})
        ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "AUTH_MODE=none" in ended.stdout + ended.stderr


def test_it_has_the_compiled_decoder(image: Image) -> None:
    if not image.is_native:
        pytest.skip("crates.io cannot be reached")
    found = "from app.build.native import installed; print(repr(installed().missing))"
    with image.container() as container:
        command = container.command(["python", "-c", found], {})
        ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.stdout == "''\n", ended.stdout + ended.stderr


def test_everything_that_it_imports_is_compiled(image: Image) -> None:
    """A start in the image, and a health check, has nothing to compile."""
    with image.container() as container:
        command = container.command(["python", "-c", _NOT_COMPILED], {})
        ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.stdout == "[]\n", ended.stdout + ended.stderr


def test_it_runs_as_a_numbered_user_who_writes_nothing_but_temporary_files(service: Service) -> None:
    assert service.user != 0
    service.terminate()
    assert service.written() == []


def test_it_holds_the_service_and_its_packages_only(image: Image) -> None:
    with image.container() as container:
        root = container.root
        assert sorted(path.name for path in (root / "srv").iterdir()) == ["LICENSE", "app", "migrations", "schema.sql"]
        programs = {path.name for path in root.glob("usr/bin/*")} | {path.name for path in root.glob("venv/bin/*")}
        assert not programs & {"gcc", "cc", "make"}
        assert list(root.glob("venv/**/site-packages/pip")) == []
        assert _megabytes(root / "venv") < PACKAGES_MAX_MB


def _megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*")) / 1e6
