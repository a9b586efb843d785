"""Keys found in records."""

import pytest

from sending.keys import key_from_field


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (b'{"service":"auth","n":1}', b"auth"),
        ('{"service":"größe"}'.encode(), "größe".encode()),
        (b'{"service":7}', b"7"),
        (b'{"service":null}', None),
        (b'{"other":"x"}', None),
        (b"plain text", None),
        (b"\xff\xfe", None),
        (b"[1]", None),
        (b"[" * 100_000, None),
        (b'{"service":"\\ud800"}', b"?"),
    ],
)
def test_the_key_is_the_value_of_a_json_field(record: bytes, key: bytes | None) -> None:
    assert key_from_field("service")(record) == key
