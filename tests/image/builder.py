"""Builds the project's image without registry or daemon: Debian's packages are the base, buildah does the rest."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.support.programs import run

_TOOLS = ("buildah", "mmdebstrap")
_BASE_PACKAGES = ("python3", "python3-pip", "python-is-python3", "ca-certificates")
# The official image has both paths in this order; Debian's Python is in the second.
_BASE_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
# Package index configuration of this machine. Mounted during the build, not part of the image.
_MOUNTED = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf")


def why_impossible() -> str | None:
    """Why no image can be built on this machine, or None."""
    if os.geteuid() != 0:
        return "making a base image needs root"
    if shutil.which("apt-get") is None:
        return "making a base image needs apt-get"
    return None


class Buildah:
    """The buildah program, with its own store below `folder`."""

    def __init__(self, folder: Path) -> None:
        # Overlay creates a container at once; vfs copies every file, but works without overlay mounts.
        overlay, vfs = (
            ["--root", f"{folder}/{driver}", "--runroot", f"{folder}/run", "--storage-driver", driver]
            for driver in ("overlay", "vfs")
        )
        self._options = overlay if _succeeds(["buildah", *overlay, "info"]) else vfs

    def command(self, verb: str, *arguments: str | Path) -> list[str]:
        """The whole command line."""
        return ["buildah", *self._options, verb, *map(str, arguments)]

    def __call__(self, verb: str, *arguments: str | Path) -> str:
        """Run buildah; returns its standard output.

        Raises:
            AssertionError: it failed; contains its output.
        """
        return run(self.command(verb, *arguments)).strip()


class Image:
    """A built image."""

    def __init__(self, buildah: Buildah, name: str, *, is_native: bool) -> None:
        self.buildah = buildah
        self.name = name
        self.is_native = is_native
        """Whether it was built with the compiled decoder."""

    @property
    def config(self) -> dict[str, Any]:
        """The configuration as Docker shows it: User, Cmd, Healthcheck, StopSignal and so on."""
        described = json.loads(self.buildah("inspect", "--type", "image", self.name))
        config: dict[str, Any] = described["Docker"]["config"]
        return config

    @contextmanager
    def container(self) -> Iterator["Container"]:
        """A fresh container of it, removed afterwards."""
        name = self.buildah("from", "--pull-never", self.name)
        try:
            yield Container(self.buildah, name)
        finally:
            self.buildah("rm", name)


class Container:
    """A container: files, and the network of this machine."""

    def __init__(self, buildah: Buildah, name: str) -> None:
        self._buildah = buildah
        self._name = name

    @property
    def root(self) -> Path:
        """Its file system, as a folder of this machine."""
        return Path(self._buildah("mount", self._name))

    def command(self, arguments: Sequence[str], environment: dict[str, str]) -> list[str]:
        """The command line that runs `arguments` in it as the image's user."""
        variables = [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]
        return self._buildah.command("run", "--isolation", "chroot", *variables, self._name, "--", *arguments)


def build_image(project: Path, cache: Path, scratch: Path) -> Image:
    """Build the Dockerfile of `project` on a base of Debian packages that replaces the image named in it.

    The base is kept in `cache`, because creating it takes most of a minute. Everything else goes below `scratch`.
    """
    _install_tools()
    buildah = Buildah(scratch)
    base, debian_release = _base_of(project / "Dockerfile")
    _import_base(buildah, _base_files(debian_release, cache, scratch), base)
    mounts = [f"--volume={path}:{path}:ro" for path in _MOUNTED if Path(path).exists()]
    is_native = _are_crates_reachable()
    arguments = ["--build-arg", f"NATIVE={'with' if is_native else 'without'}"]
    options = ["--isolation", "chroot", "--pull-never", "--format", "docker", *mounts, *arguments]
    buildah("bud", *options, "--tag", "log-analytics", project)
    return Image(buildah, "log-analytics", is_native=is_native)


def _are_crates_reachable() -> bool:
    """Whether this machine reaches the registry that the compiled decoder is built from."""
    try:
        with urlopen("https://index.crates.io/config.json", timeout=20):
            return True
    except OSError:
        return False


def _install_tools() -> None:
    if not all(map(shutil.which, _TOOLS)):
        run(["apt-get", "update"])
        run(["apt-get", "install", "--yes", "--no-install-recommends", *_TOOLS])


def _base_of(dockerfile: Path) -> tuple[str, str]:
    """The base image, and its Debian release."""
    found = re.search(r"^ARG PYTHON_IMAGE=(\S+/python:[\d.]+-slim-(\w+))$", dockerfile.read_text(), re.MULTILINE)
    assert found, f"{dockerfile} names no base image like python:3.13.1-slim-trixie"
    return found[1], found[2]


def _base_files(debian_release: str, cache: Path, scratch: Path) -> Path:
    """A tar file with a small Debian and its Python; as in the official image, without compiled files."""
    kept = cache / f"debian-{debian_release}-python-source.tar"
    if kept.exists():
        return kept
    root = scratch / "debian"
    options = ["--mode=root", "--variant=minbase", f"--include={','.join(_BASE_PACKAGES)}"]
    run(["mmdebstrap", *options, debian_release, str(root)])
    for folder in root.glob("usr/**/__pycache__"):
        shutil.rmtree(folder)
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = cache / f"{kept.name}.{os.getpid()}"
    run(["tar", "-C", str(root), "-cf", str(unfinished), "."])
    return unfinished.rename(kept)


def _import_base(buildah: Buildah, files: Path, name: str) -> None:
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, files, "/")
    buildah("config", "--env", f"PATH={_BASE_PATH}", container)
    buildah("commit", "--quiet", container, name)
    buildah("rm", container)


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
