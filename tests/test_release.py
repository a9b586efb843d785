"""A release: one version everywhere, and files that anybody can make again."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from app.version import VERSION
from local.paths import ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}  # of Keep a Changelog

# A version of the service in commands, images and charts.
STATED = re.compile(r"(?:\bVERSION=|\blog-analytics(?:/service)?:|\bappVersion: *)[\"']?v?(\d+\.\d+\.\d+)")


def releases() -> list[tuple[str, str]]:
    """Version and date of each, as the changelog lists them."""
    return re.findall(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", CHANGELOG, re.MULTILINE)


def test_the_version_is_the_same_in_all_files_that_state_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folders = [
        ROOT / "README.md",
        *ROOT.glob("docker-compose*.yml"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("deploy/**/*"),
    ]
    stated = {
        path.relative_to(ROOT).as_posix(): set(STATED.findall(path.read_text(encoding="utf-8", errors="replace")))
        for path in folders
        if path.is_file()
    }

    assert project["version"] == VERSION
    assert releases()[0][0] == VERSION
    assert stated["deploy/cloudrun/README.md"]
    assert {name: versions for name, versions in stated.items() if versions - {VERSION}} == {}


def test_the_changelog_lists_what_is_not_released_first_and_then_the_newest() -> None:
    headings = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    numbers = [tuple(map(int, version.split("."))) for version, _ in releases()]
    dates = [date for _, date in releases()]

    assert headings == ["Unreleased", *(f"{version} - {date}" for version, date in releases())]
    assert numbers == sorted(set(numbers), reverse=True)
    assert dates == sorted(dates, reverse=True)
    assert set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE)) <= KINDS


def has_a_commit() -> bool:
    git = shutil.which("git")
    return git is not None and subprocess.run([git, "rev-parse", "HEAD"], cwd=ROOT, capture_output=True).returncode == 0


def release_files(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--silent", "--assume-old=.venv/dev.stamp", "release-files", f"DIST={folder}", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.skipif(
    not has_a_commit(), reason="no git, or no clone that it reads: the source of a release comes from it"
)
def test_the_files_of_a_release_are_the_same_each_time(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        done = release_files(folder)
        assert done.returncode == 0, done.stderr
    one, two = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)

    assert one == two
    assert set(one) == {f"log-analytics-{VERSION}.tar.gz", f"log-analytics-{VERSION}.cdx.json", "SHA256SUMS"}
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folders[0], check=True)
    assert one["SHA256SUMS"].count(b"\n") == 2


def test_a_tag_of_another_version_is_refused(tmp_path: Path) -> None:
    done = release_files(tmp_path / "dist", "TAG=v99.0.0")

    assert done.returncode != 0
    assert f"the tag is v99.0.0, app/version.py says {VERSION}" in done.stderr
    assert not (tmp_path / "dist" / "SHA256SUMS").exists()


def test_the_licence_is_stated_where_programs_look_for_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE"])
    assert re.search(r"Apache License\s+Version 2\.0, January 2004", text)
    assert 'image.licenses="Apache-2.0"' in (ROOT / "Dockerfile").read_text(encoding="utf-8")
