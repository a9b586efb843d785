"""The commands of the documents, pasted into the shells that people use.

A paste is not a script: zsh, the shell of a Mac, has no comments then, and a command that reads from the terminal reads
the lines that follow it. Programs are stand-ins that write down how they were called.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.paths import ROOT

DOCUMENTS = (
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("deploy/**/*.md"),
    *ROOT.glob("bench/*.md"),
    *ROOT.glob("migrations/*.md"),
    *ROOT.glob("tests/*.md"),
)
STAND_INS = (
    *("clickhouse-client", "curl", "docker", "gcloud", "gh", "helm", "kcat", "kubectl", "logger", "make"),
    *("openssl", "python3", "sh", "sha256sum", "tail", "tr"),
    *(".venv/bin/python", "deploy/gcp/vm.sh"),
)
REAL = ("cat", "sed", "grep", "rm")
# Bash as on a terminal, but for -i: without a terminal it would read ahead, so that `read` got nothing.
SHELLS = {"bash": ("--norc", "--noprofile", "-o", "history", "-o", "histexpand", "-s"), "zsh": ("-f", "-i")}
BUILT_IN = ("eval", "export", "printf", "read", ".")
# Written at once, since the programs of a pipe run side by side.
STAND_IN = """#!/bin/sh
call='$NAME'
for word; do call="$call\t$word"; done
printf '%s\\036' "$call" >> "$CALLS"
"""
# The rest of what a shell writes are prompts, and that it has no terminal.
MESSAGE = re.compile(r"\b(?:bash|zsh|read|cat|sed|grep): (?!no job control|cannot set terminal|can't set tty).*")
PASTE_SECS = 180  # only what hangs takes as long: the commands of all sentences are pasted at once


@dataclass(frozen=True)
class Block:
    """Commands of a document, and the line that they begin in."""

    document: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The commands, each in one line, without what is handed to one of them (<<'END')."""
        text = re.sub(r"<<'(\w+)'\n.*?^\1$", "", self.text, flags=re.DOTALL | re.MULTILINE)
        commands = [""]
        for line in text.replace("\\\n", " ").splitlines():
            commands[-1] += f" {line}"
            if commands[-1].count('"') % 2 == 0:
                commands.append("")
        return [command.strip() for command in commands if command.strip()]


def blocks() -> Iterator[Block]:
    for document in DOCUMENTS:
        text, name = document.read_text(encoding="utf-8"), document.relative_to(ROOT).as_posix()
        for found in re.finditer(r"^ *```(?:sh|bash|zsh|shell|console)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
            yield Block(name, text[: found.start()].count("\n") + 2, found[1])


def inline_commands() -> Iterator[Block]:
    """Commands within sentences; words in capitals stand for something else, such as NAME."""
    for document in DOCUMENTS:
        name = document.relative_to(ROOT).as_posix()
        for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
            for found in re.finditer(
                r"`((?:docker|curl|make|gcloud|\.venv/bin/python|deploy/gcp/vm\.sh) [^`]+)`", line
            ):
                if "..." not in found[1]:
                    yield Block(name, number, found[1] + "\n")


BLOCKS = [*blocks()]
INLINE = [*inline_commands()]


class Desk:
    """A folder like a checkout, in which pasted commands call stand-ins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._calls = folder / "calls"
        shutil.copytree(ROOT / "deploy", folder / "deploy")
        for name in STAND_INS:
            program = folder / name if "/" in name else folder / "bin" / name
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(STAND_IN.replace("$NAME", name))
            program.chmod(0o755)
        for name in REAL:
            (folder / "bin" / name).symlink_to(str(shutil.which(name)))
        (folder / ".local").mkdir()
        (folder / ".local/env").write_text("export CLICKHOUSE_PASSWORD=secret\n")
        (folder / ".local/clickhouse-password").write_text("secret")

    def paste(self, shell: str, text: str) -> tuple[list[list[str]], str]:
        """The calls of programs, and what the shell said."""
        self._calls.unlink(missing_ok=True)
        text = text.replace("/tmp/", f"{self._folder}/")
        environ = {
            "PATH": str(self._folder / "bin"),
            "HOME": str(self._folder),
            "CALLS": str(self._calls),
            "PS1": "",
            "TERM": "dumb",
        }
        done = subprocess.run(
            [str(shutil.which(shell)), *SHELLS[shell]],
            input=f"{text}secret\nexit\n" if text.startswith("read ") else f"{text}\nexit\n",
            cwd=self._folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=PASTE_SECS,
            check=False,
        )
        said = "\n".join(MESSAGE.findall(done.stderr))
        calls = self._calls.read_text().split("\036")[:-1] if self._calls.exists() else []
        return [call.split("\t") for call in calls], said


def programs_of(block: Block) -> list[str]:
    """The programs that a reader expects to run, in alphabetical order (those of a pipe run side by side)."""
    found = []
    for command in block.commands:
        for part in re.split(r"\| |&& |\$\(|^", command):
            words = [word for word in part.split() if not re.match(r"\w+=", word)]
            if words and words[0] in STAND_INS:
                found.append(words[0])
    return sorted(found)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_pasted_block_runs_its_commands(desk: Desk, block: Block, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")

    calls, said = desk.paste(shell, block.text)

    assert said == ""
    assert sorted(call[0] for call in calls) == programs_of(block)
    assert [call for call in calls if "#" in call] == []


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_within_sentences_run(desk: Desk, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    assert len(INLINE) > 50

    calls, said = desk.paste(shell, "".join(block.text for block in INLINE))

    assert said == ""
    assert sorted(call[0] for call in calls) == sorted(name for block in INLINE for name in programs_of(block))


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_command_of_a_block_is_known_here(block: Block) -> None:
    """A program without a stand-in would not be found, and a comment is an error in zsh."""
    words = [re.sub(r"^(\w+=[^\s\"]+ )+", "", command).split()[0] for command in block.commands]

    assert [word for word in words if not (word in STAND_INS or word in REAL or word in BUILT_IN or "=" in word)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_python_is_that_of_the_environment(document: Path) -> None:
    if document.name == "CHANGELOG.md":
        pytest.skip("names commands, and does not show how to run them")
    text = document.read_text(encoding="utf-8")

    assert re.findall(r"(?:^ *|`|\| )(?:python|pip|kafka-[a-z-]+\.sh) [^`\n]*", text, re.MULTILINE) == []


def unset_variables(blocks_of_pages: list[Block]) -> Iterator[str]:
    """Where a variable is used that no command of the page up to there sets."""
    known: dict[str, set[str]] = {}
    for block in blocks_of_pages:
        names = known.setdefault(block.document, set())
        names.update(re.findall(r"\b([A-Z][A-Z_]+)=", block.text), re.findall(r"read -r\w* (\w+)", block.text))
        if ".local/env" in block.text:
            names.update(("CLICKHOUSE_URL", "CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD"))
        used = re.findall(r"\$\{?([A-Z][A-Z_]+)", re.sub(r"'[^']*'", "", block.text))
        yield from (f"{block}: {name}" for name in used if name not in names)


def test_variables_are_set_on_the_page_that_uses_them() -> None:
    """Of an unset one, an empty password would be made."""
    assert [*unset_variables([Block("page", 1, 'printf %s "$PASSWORD" | gcloud secrets create a\n')])] == [
        "page:1: PASSWORD"
    ]
    assert [*unset_variables(BLOCKS)] == []


def test_blocks_are_found() -> None:
    assert {block.document for block in BLOCKS} >= {"README.md", "docs/runbooks.md", "deploy/cloudrun/README.md"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("make run  # starts everything\n", ""),
        ("curl localhost:8080?x=[1]\n", "no matches found"),
        ('read -rs -p "Password: " PASSWORD\n', "-p: no coprocess"),
    ],
)
def test_what_does_not_work_on_a_mac_is_seen(desk: Desk, text: str, words: str) -> None:
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")

    calls, said = desk.paste("zsh", text)

    assert words in said
    assert said or any("#" in call for call in calls)
