"""The longest test modules start first."""

from local.paths import ROOT
from tests.support.order import LONGEST, position_of


def test_every_module_of_the_order_exists() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []


def test_long_modules_come_before_others_of_their_folder_and_unit_tests_last() -> None:
    names = ["tests/unit/test_order.py", "tests/e2e/test_metrics.py", LONGEST[1], LONGEST[0]]

    assert sorted(names, key=position_of) == names[::-1]
