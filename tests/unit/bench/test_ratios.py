"""When a ratio counts as worse."""

import json

from bench.ratios import BASELINE, MARGIN, RATIOS, lines, medians, worse

BASE = dict.fromkeys(RATIOS, 2.0)


def test_what_is_within_the_margin_is_as_good_as_before() -> None:
    assert worse(BASE | {"engine_cpu_to_plain_table": 2.0 * (1 + MARGIN)}, BASE) == []


def test_what_is_beyond_the_margin_is_named_with_both_figures() -> None:
    [sentence] = worse(BASE | {"engine_cpu_to_plain_table": 2.5}, BASE)

    assert sentence.startswith(RATIOS["engine_cpu_to_plain_table"])
    assert "2.50" in sentence
    assert "2.00" in sentence


def test_one_slow_repeat_does_not_decide() -> None:
    assert worse(medians([BASE, BASE, BASE | {"service_cpu_to_bare_loop": 9.0}]), BASE) == []


def test_what_is_much_better_asks_for_a_new_baseline() -> None:
    noted = [line for line in lines([BASE | {"small_query_to_select_1": 1.0}], BASE) if "renew the baseline" in line]

    assert len(noted) == 1
    assert RATIOS["small_query_to_select_1"] in noted[0]


def test_the_committed_baseline_has_every_ratio() -> None:
    assert json.loads(BASELINE.read_text(encoding="utf-8"))["ratios"].keys() == RATIOS.keys()
