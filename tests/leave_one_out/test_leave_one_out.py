"""The rules are those of a grammar: each of seven systems is read without what was written for it alone.

Skipped where the data is absent.
"""

import pytest

from tests.leave_one_out.shapes import in_other_shapes
from tests.leave_one_out.systems import NAMES, Left, leave_out_each
from tests.support.loghub import IS_ABSENT, WHY_SKIPPED, read_log

pytestmark = pytest.mark.skipif(IS_ABSENT, reason=WHY_SKIPPED)


@pytest.fixture(scope="module")
def left() -> dict[str, Left]:
    return leave_out_each()


@pytest.mark.parametrize("system", NAMES)
def test_a_system_is_read_with_the_rules_of_others(system: str, left: dict[str, Left]) -> None:
    _, lines, times, levels, wrong = left[system]

    assert (times >= 0.9 * lines, levels >= 0.9 * lines, wrong) == (True, True, 0)


def test_without_a_rule_that_a_system_needs_nothing_is_claimed() -> None:
    """With the rules of the other six alone HDFS and Spark have no dates, and none of their lines gets a wrong one."""
    left = leave_out_each(of_the_seven=True)

    assert [one.wrong for one in left.values()] == [0] * len(NAMES)
    assert left["HDFS"].times == left["Spark"].times == 0


@pytest.mark.parametrize("system", NAMES)
def test_what_a_system_says_is_read_in_shapes_that_it_does_not_have(system: str) -> None:
    lines, times, levels, wrong = in_other_shapes(system, read_log(system))

    assert (times >= 0.9 * lines, levels >= 0.9 * lines, wrong) == (True, True, [])
