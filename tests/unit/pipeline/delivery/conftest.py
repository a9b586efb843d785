"""The delivery of a test."""

from __future__ import annotations

import pytest

from tests.unit.pipeline.delivery.setup import Setup


@pytest.fixture
def setup() -> Setup:
    return Setup()
