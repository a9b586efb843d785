"""Reading the snippets of docs/recipes.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recipes import blocks, placed, snippet

PAGE = """# Page
## One
```sh
# send
curl localhost:8080
```
text
```python
pass
```
### Two
```sh
true
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.md"
    file.write_text(PAGE)
    return file


def test_the_blocks_of_a_heading_end_at_the_next_one(page: Path) -> None:
    assert blocks("One", page) == [("sh", "# send\ncurl localhost:8080\n"), ("python", "pass\n")]
    assert blocks("Two", page) == [("sh", "true\n")]
    assert blocks("Page", page) == []
    assert snippet("One", "python", page) == "pass\n"


@pytest.mark.parametrize(("heading", "language"), [("send", "sh"), ("Two", "python")])
def test_what_is_not_there_is_named(page: Path, heading: str, language: str) -> None:
    with pytest.raises(AssertionError, match=f"{heading}.*"):
        snippet(heading, language, page)


def test_ports_are_replaced_and_localhost_is_one_address() -> None:
    assert placed("curl http://localhost:8080/18080", {8080: 4001, 9092: 4002}) == "curl http://127.0.0.1:4001/18080"
    with pytest.raises(AssertionError, match="none of the ports"):
        placed("curl localhost", {8080: 1})
