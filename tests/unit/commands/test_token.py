"""`python -m app token`: what it prints, and what becomes of the file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.access.principal import Right
from app.access.token_lines import read_tokens
from app.access.tokens import Token
from app.commands.arguments import parse
from app.commands.token import token

NOW = datetime.now(UTC)


class Command:
    """Runs the command on a file."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.file = folder / "tokens"
        self._capsys = capsys
        self.said = ""

    def run(self, *arguments: str, environ: dict[str, str] | None = None) -> tuple[int, str]:
        """The exit code and the standard output; `said` has standard error."""
        file = ["--file", str(self.file)] if environ is None else []
        code = token(parse(["token", *arguments, *file]), environ or {})
        out, self.said = self._capsys.readouterr()
        return code, out

    @property
    def tokens(self) -> tuple[Token, ...]:
        return read_tokens(self.file.read_text()).tokens


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


def test_a_token_is_added_to_the_file_and_only_its_secret_is_printed(command: Command) -> None:
    code, secret = command.run("create", "alice", "--scope", "read")

    found = read_tokens(command.file.read_text()).of_secret(secret.removesuffix("\n"), NOW)
    assert code == 0
    assert found is not None
    assert (found.name, found.rights) == ("alice", (Right.READ,))
    assert secret.strip() not in command.file.read_text() + command.said


def test_a_new_file_is_for_its_owner_only_and_an_old_one_keeps_its_mode(command: Command) -> None:
    command.run("create", "alice", "--scope", "read")
    new = command.file.stat().st_mode & 0o777
    command.file.chmod(0o640)
    command.run("create", "bob", "--scope", "read")

    assert (new, command.file.stat().st_mode & 0o777) == (0o600, 0o640)
    assert [path.name for path in command.file.parent.iterdir()] == ["tokens"]


def test_without_a_file_the_line_is_printed_too(command: Command) -> None:
    _, out = command.run("create", "alice", "--scope", "read,ingest", "--scope", "admin", environ={"X": "y"})

    secret, line = out.splitlines()
    [made] = read_tokens(line).tokens
    assert made == read_tokens(line).of_secret(secret, NOW)
    assert made.rights == (Right.READ, Right.INGEST, Right.ADMIN)


def test_limit_and_expiry_are_in_the_line(command: Command) -> None:
    command.run("create", "a", "--scope", "read", "--only", ' service:pay* OR "x y" ', "--expires", "90d")

    [made] = command.tokens
    assert made.only == 'service:pay* OR "x y"'
    assert made.expires is not None
    assert timedelta(days=89, hours=23) < made.expires - NOW < timedelta(days=90, hours=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a/b", "--scope", "read"], "the name 'a/b'"),
        (["a", "--scope", "write"], "the scopes 'write'"),
        (["a", "--scope", "read", "--only", "service:("], "only=service:("),
        (["a", "--scope", "read", "--only", "x\nb read sha256:" + "ab" * 32], "one line"),
        (["a", "--scope", "ingest", "--only", "x"], "no scope read"),
        (["old", "--scope", "read"], "there is a token 'old' already"),
    ],
)
def test_what_cannot_be_a_token_changes_nothing(command: Command, arguments: list[str], said: str) -> None:
    command.run("create", "old", "--scope", "read")
    before = command.file.read_text()

    code, out = command.run("create", *arguments)

    assert (code, out) == (2, "")
    assert said in command.said
    assert command.file.read_text() == before


@pytest.mark.parametrize("expires", ["soon", "2020-01-01", "90x", "-1d"])
def test_a_time_that_is_none_or_past_is_refused(expires: str) -> None:
    with pytest.raises(SystemExit):
        parse(["token", "create", "a", "--scope", "read", f"--expires={expires}"])


def test_a_list_shows_names_and_limits_but_no_whole_hash(command: Command) -> None:
    command.run("create", "alice", "--scope", "read", "--only", "service:pay*")
    command.run("create", "shipper", "--scope", "ingest", "--expires", "2099-01-01")

    code, out = command.run("list")

    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ["name", "scopes", "hash", "expires", "only"]
    assert [(line[0], line[1], *line[3:]) for line in lines[1:]] == [
        ("alice", "read", "never", "service:pay*"),
        ("shipper", "ingest", "2099-01-01T00:00:00Z", "-"),
    ]
    assert all(one.digest.hex()[:16] not in out for one in command.tokens)


def test_a_revoked_token_is_gone_and_everything_else_stays(command: Command) -> None:
    command.file.write_text("# Of the team\n\n")
    for name in ("alice", "bob"):
        command.run("create", name, "--scope", "read")

    assert command.run("revoke", "alice")[0] == 0

    assert [one.name for one in command.tokens] == ["bob"]
    assert command.file.read_text().startswith("# Of the team\n\nbob ")
    assert command.run("revoke", "alice")[0] == 2
    assert "no token 'alice'" in command.said


def test_the_file_of_the_service_is_used_by_default(command: Command) -> None:
    environ = {"AUTH_TOKENS_FILE": str(command.file)}

    command.run("create", "alice", "--scope", "read", environ=environ)

    assert "alice" in command.run("list", environ=environ)[1]


def test_a_broken_file_is_not_changed(command: Command) -> None:
    command.file.write_text("alice read\n")

    assert command.run("create", "bob", "--scope", "read") == (2, "")
    assert command.file.read_text() == "alice read\n"
    assert "line 1, column 1" in command.said


def test_a_symbolic_link_stays_one(command: Command, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("")
    command.file.symlink_to(real)

    command.run("create", "alice", "--scope", "read")

    assert command.file.is_symlink()
    assert real.read_text().startswith("alice ")
