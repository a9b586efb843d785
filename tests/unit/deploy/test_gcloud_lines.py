"""Every call of gcloud in scripts and documents, checked by what the Google Cloud SDK says of its commands."""

from __future__ import annotations

import pytest

from tests.support.gcloud_lines import Facts, Line, gcloud_lines, known_facts, lines_of_document, problems
from tests.support.shell_commands import UNKNOWN, ShellSyntaxError, calls

AGAIN = "if gcloud knows it, `make gcloud-facts` writes it down"
LINES = list(gcloud_lines())

FACTS: Facts = {
    "sdk": "1.0.0",
    "flags": {"--project": "value", "--quiet": "bool"},
    "commands": {
        "secrets create": {"least": 1, "most": 1, "flags": {"--data-file": "value", "--policy": ["automatic", "user"]}},
        "services enable": {"least": 1, "most": -1, "flags": {"--async": "bool"}},
    },
}


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.file}:{line.line}")
def test_gcloud_knows_the_command_and_its_flags(line: Line) -> None:
    assert list(problems(line.words, known_facts(), whole=line.whole)) == [], f"{line}\n{AGAIN}"


def test_only_what_is_used_is_kept() -> None:
    assert {line.file for line in LINES} >= {"deploy/cloudrun/README.md", "docs/recipes.md"}
    used = [" ".join(line.words) for line in LINES]
    assert [name for name in known_facts()["commands"] if not any(name in words for words in used)] == []


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("gcloud secrets create a --data-file=-", None),
        ("gcloud secrets create a --data-file - --quiet", None),
        ("gcloud --project=p secrets create a", None),
        ("gcloud services enable a b c", None),
        (f"gcloud secrets create {UNKNOWN}", None),
        (f"gcloud secrets create {UNKNOWN} a --policy={UNKNOWN}", None),
        ("gcloud secrets create", "secrets create takes at least 1 words"),
        ("gcloud secrets create a b", "secrets create takes at most 1 words"),
        ("gcloud secrets creat a", "no command 'secrets creat a'"),
        ("gcloud secrets", "no command 'secrets'"),
        ("gcloud secrets create a --datafile=-", "no flag --datafile"),
        ("gcloud secrets create a --data-file", "--data-file needs a value"),
        ("gcloud secrets create a --quiet=1", "--quiet takes no value"),
        ("gcloud secrets create a --policy=none", "--policy is none of automatic, user"),
    ],
)
def test_what_gcloud_would_refuse_is_found(command: str, problem: str | None) -> None:
    assert list(problems(command.split(), FACTS)) == ([problem] if problem else [])


def test_a_sentence_may_name_a_command_or_a_group_without_its_arguments() -> None:
    for words in ("gcloud secrets create", "gcloud secrets"):
        assert list(problems(words.split(), FACTS, whole=False)) == []
    assert list(problems(["gcloud", "secret"], FACTS, whole=False)) == ["no command 'secret'"]


def test_calls_are_found_wherever_a_script_makes_them() -> None:
    script = r"""
flags=(--zone="$ZONE" "--name=a b")
flags+=(--quiet)
size=10
if ! gcloud disks describe x > /dev/null 2>&1; then
  run gcloud disks create "d-$size" --size="${SIZE:-20}" "${flags[@]}"
fi
printf %s "$PASSWORD" | gcloud secrets create 'p' \
  --data-file=- # of standard input
A="$(gcloud config get project)" gcloud info "$A"
cat << END
gcloud is not called here
END
"""
    assert [(call.line, " ".join(call.words[1:])) for call in calls("gcloud", script)] == [
        (5, "disks describe x"),
        (6, f"disks create d-10 --size=20 --zone={UNKNOWN} --name=a b --quiet"),
        (8, "secrets create p --data-file=-"),
        (10, f"info {UNKNOWN}"),
        (10, "config get project"),
    ]


def test_a_script_that_bash_would_refuse_is_refused() -> None:
    with pytest.raises(ShellSyntaxError, match="1:10"):
        calls("gcloud", "if true; then\n")


def test_blocks_and_sentences_of_a_document_are_read() -> None:
    text = "Use `gcloud a b`.\n\n  ```sh\n  X=1\n  ```\n\n```bash\ngcloud c \\\n  $X\n```\n```yaml\n- gcloud d\n```\n"

    assert list(lines_of_document("x.md", text)) == [
        Line("x.md", 8, ["gcloud", "c", "1"]),
        Line("x.md", 1, ["gcloud", "a", "b"], whole=False),
    ]
