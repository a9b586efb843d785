"""The Dockerfile and its context. tests/image builds and starts it."""

import re

from local.paths import ROOT
from tests.support.programs import run_program

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_hadolint_reports_no_problems() -> None:
    files = [ROOT / "Dockerfile", ROOT / "grafana/Dockerfile"]
    assert run_program("hadolint", "--failure-threshold", "style", *files) == ""


def test_copied_files_are_not_ignored() -> None:
    copied = {source.strip("/") for source in re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert copied == allowed
    assert "*" in lines


def test_every_stage_starts_from_the_one_pinned_image() -> None:
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert bases == {"${PYTHON_IMAGE}"}
    assert re.search(r"^ARG PYTHON_IMAGE=\S+/python:\d+\.\d+\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)


def test_what_is_copied_can_be_read_whatever_the_umask_was() -> None:
    copied = DOCKERFILE.partition(" AS source\n")[2].partition("\nFROM ")[0]
    assert re.search(r"^RUN chmod -R a\+rX /srv ", copied, re.MULTILINE)


def test_it_listens_everywhere_and_leaves_to_others_who_may_read() -> None:
    """So that it does not start until that is said; tests/unit/preflight/test_access_checks.py has the sentence."""
    assert "HTTP_HOST=0.0.0.0" in DOCKERFILE
    assert re.findall(r"^(?!#).*AUTH_", DOCKERFILE, re.MULTILINE) == []


def test_packages_are_installed_by_hash_only() -> None:
    assert "--require-hashes" in DOCKERFILE
    pinned = re.findall(r"^[a-z0-9-]+==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert len(pinned) > 10
