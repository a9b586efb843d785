"""`python -m tests.leave_one_out` prints the table of docs/text.md, and with `-v` the rules that were taken away."""

import sys

from tests.leave_one_out.shapes import in_other_shapes
from tests.leave_one_out.systems import Left, leave_out_each
from tests.support.loghub import read_log


def _row(system: str, left: Left, of_the_seven: Left) -> str:
    shaped = in_other_shapes(system, read_log(system))
    columns = [
        f"{len(one.rules)} | {_share(one.times, one.lines)} | {_share(one.levels, one.lines)} | {one.wrong}"
        for one in (left, of_the_seven)
    ]
    shapes = f"{_share(shaped.times, shaped.lines)} | {_share(shaped.levels, shaped.lines)} | {len(shaped.wrong)}"
    return f"| {system} | {' | '.join(columns)} | {shapes} |"


def _share(right: int, lines: int) -> str:
    return f"{100 * right / lines:.0f} %"


every, of_seven = leave_out_each(), leave_out_each(of_the_seven=True)
for name, one in every.items():
    sys.stdout.write(_row(name, one, of_seven[name]) + "\n")
    if "-v" in sys.argv:
        sys.stdout.writelines(f"    {rule.pattern} {rule.group}\n" for rule in sorted(one.rules))
