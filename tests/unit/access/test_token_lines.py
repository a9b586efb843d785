"""Lines of tokens are read strictly: a line that is misread would give somebody other rights."""

from datetime import UTC, datetime

import pytest

from app.access.principal import Right
from app.access.token_lines import BadTokens, line_of, read_tokens
from app.access.tokens import digest_of, new_secret
from app.query.language import parse
from app.query.scope import EVERYTHING, Scope

HEX = "ab" * 32
OTHER = "cd" * 32


def problems_of(text: str) -> list[str]:
    with pytest.raises(BadTokens) as caught:
        read_tokens(text)
    return caught.value.problems


def test_a_line_is_a_name_scopes_and_a_hash() -> None:
    [token] = read_tokens(f"grafana read sha256:{HEX}").tokens

    assert (token.name, token.rights, token.digest, token.expires, token.scope) == (
        "grafana",
        (Right.READ,),
        bytes.fromhex(HEX),
        None,
        EVERYTHING,
    )


def test_comments_empty_lines_and_line_ends_of_windows_are_no_tokens() -> None:
    text = f"# Tokens\r\n\r\n  a read,ingest sha256:{HEX}\r\n\t# b read sha256:{OTHER}\r\n"

    assert [(token.name, token.rights) for token in read_tokens(text).tokens] == [("a", (Right.READ, Right.INGEST))]


def test_a_limit_is_a_query_to_the_end_of_the_line() -> None:
    line = f'a read sha256:{HEX} expires=2027-01-01 only=service:payment-* OR "card x"  '

    [token] = read_tokens(line).tokens

    assert token.only == 'service:payment-* OR "card x"'
    assert token.scope == Scope(parse(token.only).tree)
    assert token.expires == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2027-01-01", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2027-01-01T12:30:00", datetime(2027, 1, 1, 12, 30, tzinfo=UTC)),
        ("2027-01-01T12:30:00Z", datetime(2027, 1, 1, 12, 30, tzinfo=UTC)),
        ("2027-01-01T12:30:00+02:00", datetime(2027, 1, 1, 10, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_utc(text: str, time: datetime) -> None:
    [token] = read_tokens(f"a read sha256:{HEX} expires={text}").tokens

    assert token.expires == time


@pytest.mark.parametrize(
    "line",
    [
        f"a read sha256:{HEX}",
        f"b.c_d@e-f read,ingest,admin sha256:{HEX} expires=2027-01-01T00:00:00Z",
        f'c read sha256:{HEX} expires=2027-01-01T00:00:00Z only=service:a* OR body:"x y"',
    ],
)
def test_a_token_is_written_as_it_is_read(line: str) -> None:
    [token] = read_tokens(line).tokens

    assert line_of(token) == line


@pytest.mark.parametrize(
    ("line", "place", "reason"),
    [
        ("a read", 1, "must be like NAME SCOPES sha256:HEX"),
        (f"a/b read sha256:{HEX}", 1, "the name 'a/b'"),
        (f"anonymous read sha256:{HEX}", 1, "senders without a token"),
        (f"a write sha256:{HEX}", 3, "the scopes 'write' must be of read,ingest,admin"),
        (f"a read,none sha256:{HEX}", 3, "the scopes 'read,none'"),
        (f"a read, sha256:{HEX}", 3, "the scopes 'read,'"),
        (f"a read md5:{HEX}", 8, "must be sha256: and 64 digits"),
        (f"a read sha256:{HEX[:-1]}", 8, "must be sha256: and 64 digits"),
        (f"a read sha256:{HEX} expires=soon", 88, "the time 'soon' must be like 2027-01-01"),
        (f"a read sha256:{HEX} expires=2027-01-01 expires=2028-01-01", 99, "once"),
        (f"a read sha256:{HEX} limit=5", 80, "'limit=5' must be"),
        (f"a read sha256:{HEX} only=", 85, "limits something"),
        (f"a read sha256:{HEX} only=*", 85, "limits something"),
        (f"a ingest sha256:{HEX} only=service:a", 87, "no scope read"),
        (f"a read sha256:{HEX} only=service:a AND (b", 99, "only=service:a AND (b: "),
        (f"a read sha256:{HEX} only=statu:500 AND nosuch(", 106, "only=statu:500 AND nosuch(: "),
    ],
)
def test_a_mistake_is_named_with_its_line_and_column(line: str, place: int, reason: str) -> None:
    [problem] = problems_of(f"# first\n{line}\nz read sha256:{OTHER}\n")

    assert problem.startswith(f"line 2, column {place}: ")
    assert reason in problem


def test_all_mistakes_are_named_at_once_and_no_secret_is_shown() -> None:
    secret = new_secret()

    first, second = problems_of(f"a read {secret}\nb {secret} sha256:{HEX}")

    assert first.startswith("line 1")
    assert second.startswith("line 2")
    assert secret not in first


def test_two_tokens_differ_in_name_and_secret() -> None:
    one = digest_of(new_secret()).hex()

    assert "there is a token 'a' already" in problems_of(f"a read sha256:{HEX}\na read sha256:{one}")[0]
    assert "has the secret of 'a'" in problems_of(f"a read sha256:{HEX}\nb read sha256:{HEX}")[0]
