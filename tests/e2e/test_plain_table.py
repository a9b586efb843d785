"""The plain table of the bench of ratios; `make bench-ratios`, which CI runs, measures every ratio."""

from __future__ import annotations

import uuid
from typing import Any, cast

import pytest

from bench.stack import BenchStack
from bench.storing import drop_extras, extras_of
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack


def test_the_plain_table_differs_from_the_other_in_its_extras(engine: RunningEngine) -> None:
    stack = BenchStack(cast(Any, None), cast(Any, engine), cast(Any, None))
    plain = f"plain_{uuid.uuid4().hex[:8]}"
    stack.create_table(plain)
    extras = extras_of(stack, plain)

    drop_extras(stack, plain, extras)

    assert {extra.kind for extra in extras} == {"INDEX", "PROJECTION", "CONSTRAINT"}
    assert extras_of(stack, plain) == []
