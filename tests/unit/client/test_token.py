"""The token of the commands that query a running service."""

from pathlib import Path

import pytest

from app.client.token import token_in

SECRET = "lat_" + "x" * 43


@pytest.mark.parametrize("environ", [{}, {"LOG_ANALYTICS_TOKEN": ""}, {"LOG_ANALYTICS_TOKEN_FILE": ""}])
def test_there_may_be_none(environ: dict[str, str]) -> None:
    assert token_in(environ) == ""


def test_it_is_in_a_variable_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")

    assert token_in({"LOG_ANALYTICS_TOKEN": SECRET}) == SECRET
    assert token_in({"LOG_ANALYTICS_TOKEN_FILE": str(tmp_path / "token")}) == SECRET


@pytest.mark.parametrize("content", [b"two words", b"lat_x\r\nX-Other: y", "é".encode(), b"\xff"])
def test_a_text_that_is_none_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)

    with pytest.raises(ValueError, match="LOG_ANALYTICS_TOKEN_FILE=") as caught:
        token_in({"LOG_ANALYTICS_TOKEN_FILE": str(tmp_path / "token")})

    assert "words" not in str(caught.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="/no/such/file: the file cannot be read"):
        token_in({"LOG_ANALYTICS_TOKEN_FILE": "/no/such/file"})
