"""Alive, ready, and why not."""

from app.health import LIVE_WITHIN_SECS, Health
from tests.fakes import Clock


def test_neither_side_is_reached_at_first() -> None:
    assert Health().problems() == {"kafka": "not reached yet", "clickhouse": "not reached yet"}


def test_a_problem_stays_until_it_is_taken_back() -> None:
    health = Health()
    health.report("kafka", "gone")
    health.report("clickhouse", None)
    health.report("partition logs/1", "halted")

    assert health.problems() == {"kafka": "gone", "partition logs/1": "halted"}
    health.report("kafka", None)
    health.report("partition logs/1", None)
    assert health.problems() == {}


def test_a_report_tells_whether_it_is_news() -> None:
    health = Health()

    told = [health.report("kafka", problem) for problem in ("gone", "gone", "slow", None, None, "gone")]

    assert told == [True, False, True, True, False, True]


def test_the_problems_handed_out_do_not_change_afterwards() -> None:
    health = Health()
    problems = health.problems()

    health.report("kafka", "gone")

    assert problems["kafka"] == "not reached yet"


def test_the_service_is_alive_while_its_loop_turns() -> None:
    clock = Clock()
    health = Health(clock)

    clock.turn(LIVE_WITHIN_SECS - 0.1)
    assert health.is_live()
    health.turned()
    clock.turn(LIVE_WITHIN_SECS - 0.1)
    assert health.is_live()
    clock.turn(0.1)
    assert not health.is_live()


def test_problems_do_not_make_the_service_dead_nor_their_end_alive() -> None:
    clock = Clock()
    health = Health(clock)
    health.report("kafka", "gone")
    assert health.is_live()

    clock.turn(LIVE_WITHIN_SECS)
    for part in list(health.problems()):
        health.report(part, None)

    assert not health.is_live()


def test_figures_are_the_last_that_were_noted() -> None:
    clock = Clock()
    health = Health(clock)
    health.note(consumer_lag=5, committed_offsets={})
    health.note(consumer_lag=7)
    clock.turn(1.5)

    assert health.figures() == {"consumer_lag": 7, "committed_offsets": {}, "seconds_since_loop_turned": 1.5}
