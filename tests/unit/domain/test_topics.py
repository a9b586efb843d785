"""Which topics are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.topics import NOT_ALLOWED, NOT_THERE, FoundTopic, parse_topics


@pytest.mark.parametrize(
    ("text", "name", "is_taken"),
    [
        ("", "logs", True),
        ("", "web", False),
        ("web, billing", "billing", True),
        ("web", "web-1", False),
        ("web", "Web", False),
        ("app-*", "app-", True),
        ("app-*", "app-web.1", True),
        ("app-*", "my-app-web", False),
        ("app-?", "app-1", True),
        ("app-?", "app-10", False),
        ("a.b*", "axb", False),
        (r"^team\.", "team.a", True),
        (r"^team\.", "teams", False),
        (r"^team\.[ab]$", "team.a2", False),
        ("^(web|app)-", "app-1", True),
        ("*", "anything", True),
        ("*", "_schemas", False),
        ("*", "__consumer_offsets", False),
        ("^.*", "__transaction_state", False),
        ("_schemas", "_schemas", True),
    ],
)
def test_a_topic_is_taken_by_its_name_or_a_pattern(text: str, name: str, is_taken: bool) -> None:
    assert parse_topics("logs", text).takes(name) is is_taken


@pytest.mark.parametrize("text", ["a b", "a,,b", "a/b", "ä*", "^(", "__consumer_offsets", "__*", "x" * 250, ","])
def test_what_is_neither_a_name_nor_a_pattern_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"must (not )?be|not valid"):
        parse_topics("logs", text)


@given(st.text(max_size=30), st.text(alphabet="ab-_.", min_size=1, max_size=10))
def test_any_text_is_a_choice_or_refused_and_never_takes_kafkas_own_topics(text: str, name: str) -> None:
    try:
        choice = parse_topics("logs", text)
    except ValueError:
        return
    assert choice.takes("logs")
    assert not choice.takes(f"__{name}")


def test_the_main_topic_alone_is_only_main_however_it_is_named() -> None:
    assert parse_topics("logs", "").is_only_main
    assert parse_topics("logs", "logs").is_only_main
    assert not parse_topics("logs", "web").is_only_main
    assert not parse_topics("logs", "^x").is_only_main


def test_what_is_not_read_comes_with_the_reason() -> None:
    found = [FoundTopic("logs", "1", 4), FoundTopic("app-1", "2", 1, may_read=False), FoundTopic("other", "3", 1)]

    chosen = parse_topics("logs", "app-*,billing").among(found)

    assert chosen.topics == {"logs": FoundTopic("logs", "1", 4)}
    assert chosen.unread == {"billing": NOT_THERE, "app-1": NOT_ALLOWED}
