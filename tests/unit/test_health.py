"""Alive, ready, and why not."""

from app.health import LIVE_WITHIN_SECS, Health, ServiceHealth
from tests.fakes import Clock

AT_START = {"kafka": "not reached yet"}


def test_a_component_begins_with_the_problems_that_it_is_given() -> None:
    assert Health().problems() == {}
    assert Health(problems=AT_START).problems() == AT_START


def test_a_problem_stays_until_it_is_taken_back() -> None:
    health = Health(problems=AT_START)
    health.report("kafka", "gone")
    health.report("clickhouse", None)
    health.report("partition logs/1", "halted")

    assert health.problems() == {"kafka": "gone", "partition logs/1": "halted"}
    health.report("kafka", None)
    health.report("partition logs/1", None)
    assert health.problems() == {}


def test_a_report_tells_whether_it_is_news() -> None:
    health = Health(problems=AT_START)

    told = [health.report("kafka", problem) for problem in ("gone", "gone", "slow", None, None, "gone")]

    assert told == [True, False, True, True, False, True]


def test_the_problems_handed_out_do_not_change_afterwards() -> None:
    health = Health(problems=AT_START)
    problems = health.problems()

    health.report("kafka", "gone")

    assert problems["kafka"] == "not reached yet"


# What is expected to be heard of.


def test_silence_becomes_a_problem_when_the_time_is_over() -> None:
    clock = Clock()
    health = Health(clock, problems=AT_START)

    health.expect("kafka", 30, "has not answered for 30 s")

    assert health.problems() == {}
    clock.turn(29.9)
    assert health.problems() == {}
    clock.turn(0.1)
    assert health.problems() == {"kafka": "has not answered for 30 s"}


def test_whatever_is_said_of_a_part_ends_what_was_expected_of_it() -> None:
    clock = Clock()
    health = Health(clock)
    health.expect("renewed", 30, "silent")
    health.expect("well", 30, "silent")
    health.expect("ill", 30, "silent")
    clock.turn(20)

    health.expect("renewed", 30, "silent")
    health.report("well", None)
    health.report("ill", "gone")
    clock.turn(29)

    assert health.problems() == {"ill": "gone"}


def test_the_end_of_a_silence_is_news() -> None:
    clock = Clock()
    health = Health(clock)
    health.expect("kafka", 30, "silent")

    assert not health.report("kafka", None)
    health.expect("kafka", 30, "silent")
    clock.turn(30)
    assert health.report("kafka", None)


# Warnings.


def test_a_warning_is_no_problem_and_is_news_once() -> None:
    health = Health()

    told = [health.warn("clock", warning) for warning in ("2 s ahead", "2 s ahead", "3 s ahead")]

    assert told == [True, False, True]
    assert (health.warnings(), health.problems()) == ({"clock": "3 s ahead"}, {})
    assert health.warn("clock", None)
    assert health.warnings() == {}


# Liveness.


def test_a_component_is_alive_while_its_loop_turns() -> None:
    clock = Clock()
    health = Health(clock, has_loop=True)

    clock.turn(LIVE_WITHIN_SECS - 0.1)
    assert health.is_live()
    health.turned()
    clock.turn(LIVE_WITHIN_SECS - 0.1)
    assert health.is_live()
    clock.turn(0.1)
    assert not health.is_live()


def test_a_component_without_a_loop_cannot_be_stuck() -> None:
    clock = Clock()
    health = Health(clock)

    clock.turn(10 * LIVE_WITHIN_SECS)

    assert health.is_live()
    assert health.figures() == {}


def test_problems_do_not_make_a_component_dead_nor_their_end_alive() -> None:
    clock = Clock()
    health = Health(clock, has_loop=True)
    health.report("kafka", "gone")
    assert health.is_live()

    clock.turn(LIVE_WITHIN_SECS)
    health.report("kafka", None)

    assert not health.is_live()


def test_figures_are_the_last_that_were_noted() -> None:
    clock = Clock()
    health = Health(clock, has_loop=True)
    health.note(consumer_lag=5, committed_offsets={})
    health.note(consumer_lag=None)
    clock.turn(1.5)

    assert health.figures() == {"consumer_lag": None, "committed_offsets": {}, "seconds_since_loop_turned": 1.5}


# All components together.


def test_an_instance_is_alive_if_all_of_it_is() -> None:
    clock = Clock()
    looping, still = Health(clock, has_loop=True), Health(clock)
    service = ServiceHealth({"ingest": looping, "query": still})

    assert service.is_live()
    clock.turn(LIVE_WITHIN_SECS)
    assert not service.is_live()


def test_an_instance_has_the_problems_and_warnings_of_all_of_it() -> None:
    ingest, query = Health(problems=AT_START), Health()
    service = ServiceHealth({"ingest": ingest, "query": query})

    query.report("clickhouse reader", "gone")
    query.warn("clock", "2 s ahead")

    assert service.problems() == {"kafka": "not reached yet", "clickhouse reader": "gone"}
    assert service.warnings() == {"clock": "2 s ahead"}


def test_the_figures_of_an_instance_are_those_of_each_component_by_its_name() -> None:
    ingest, query = Health(), Health()
    ingest.note(consumer_lag=7)

    figures = ServiceHealth({"ingest": ingest, "query": query}).figures()

    assert figures == {"components": {"ingest": {"consumer_lag": 7}, "query": {}}}
