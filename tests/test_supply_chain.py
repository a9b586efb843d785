"""What is shipped: every package and crate is in the SBOM, and has a licence that may be shipped."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from docs import licences
from local.paths import ROOT
from tests.support.compose import KRAFT, services

# Each lets us ship the package unchanged, whatever our own licence is.
ALLOWED = {
    *("Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "PSF-2.0"),
    "MPL-2.0",  # certifi: changes of its files would have to be published
    "LGPL-2.1-or-later",  # crc32c: installed from PyPI, so it can be replaced
}


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    return licences.licences()


def pinned() -> dict[str, str]:
    """Version by name."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[\S+\])?==(\S+)", text, re.MULTILINE))


def test_every_licence_is_one_that_may_be_shipped(found: dict[str, str]) -> None:
    kinds = {name: set(re.split(r" (?:AND|OR) ", licence)) for name, licence in found.items()}

    assert len(found) > 30
    assert {name: kind - ALLOWED for name, kind in kinds.items() if kind - ALLOWED} == {}


def test_every_package_is_listed_with_its_licence(found: dict[str, str]) -> None:
    """Packages that only another version of Python needs are listed too."""
    rows = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8").partition("## Compiled code")[0]
    listed = dict(re.findall(r"^\| ([a-z0-9-]+) \| (\S.*) \|$", rows, re.MULTILINE))
    listed.pop("package")

    assert {name: listed.get(name) for name in found} == found, "out of date: make docs"
    assert set(listed) <= set(pinned())


def test_every_crate_of_the_compiled_decoder_is_listed_with_a_licence_that_may_be_shipped() -> None:
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8").partition("## Compiled code")[2]
    listed = dict(re.findall(r"^\| ([\w-]+)(?: \(build\))? \| (\S.*) \|$", text, re.MULTILINE))
    lock = (ROOT / "native" / "Cargo.lock").read_text(encoding="utf-8")
    kinds = {name: set(re.split(r" (?:AND|OR|WITH) |[()]", licence)) for name, licence in listed.items()}

    assert {*listed} - {"crate"} == {*re.findall('^name = "(.*)"$', lock, re.MULTILINE)} - {"log_decoder"}
    assert [name for name, kind in kinds.items() if name != "crate" and not kind & ALLOWED] == []


def locked_crates() -> dict[str, str]:
    """Version by name of each crate that is fetched."""
    text = (ROOT / "native" / "Cargo.lock").read_text(encoding="utf-8")
    return dict(re.findall(r'^name = "(.*)"\nversion = "(.*)"\nsource', text, re.MULTILINE))


def test_the_sbom_names_every_package_and_crate_with_its_version_and_hashes(tmp_path: Path) -> None:
    """What is not valid CycloneDX is not written."""
    file = tmp_path / "sbom.json"
    command = ["make", "--silent", "--assume-old=.venv/dev.stamp", "sbom", f"SBOM={file}"]
    subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    document = json.loads(file.read_text(encoding="utf-8"))

    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["licenses"][0]["license"]["id"] == "Apache-2.0"
    components = {component["name"]: component for component in document["components"]}
    assert {name: component["version"] for name, component in components.items()} == pinned() | locked_crates()
    for component in components.values():
        references = [component, *component.get("externalReferences", ())]
        hashes = [hash_ for reference in references for hash_ in reference.get("hashes", ())]
        assert hashes, component["name"]
        assert {hash_["alg"] for hash_ in hashes} == {"SHA-256"}


def pin_images(folder: Path, *, docker: str) -> tuple[int, Path, list[str]]:
    """The exit code, the file that is to be written, and the services whose images were looked up."""
    program, arguments, digests = folder / "docker", folder / "arguments", folder / "digests.yml"
    program.write_text(f'#!/bin/sh\necho "$@" > "{arguments}"\n{docker}\n', encoding="utf-8")
    program.chmod(0o755)
    done = subprocess.run(
        ["make", "--silent", "pin-images", f"DIGESTS={digests}"],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        check=False,
    )
    command = "compose config --lock-image-digests "
    assert arguments.read_text(encoding="utf-8").startswith(command)
    return done.returncode, digests, arguments.read_text(encoding="utf-8").removeprefix(command).split()


def test_the_digests_of_all_images_that_are_pulled_can_be_pinned(tmp_path: Path) -> None:
    code, digests, names = pin_images(tmp_path, docker="echo services: {}")

    assert (code, digests.read_text(encoding="utf-8")) == (0, "services: {}\n")
    assert set(names) == {name for name, service in services(KRAFT).items() if "build" not in service}


def test_without_a_registry_no_digest_is_written(tmp_path: Path) -> None:
    code, digests, _ = pin_images(tmp_path, docker="echo half; exit 1")

    assert code != 0
    assert not digests.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []
