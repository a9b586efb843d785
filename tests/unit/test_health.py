"""Liveness, readiness, and reasons."""

from app.health import LIVE_WITHIN_SECS, Health, ServiceHealth
from tests.fakes import Clock

AT_START = {"kafka": "not connected yet"}


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


def test_a_report_returns_whether_the_state_changed() -> None:
    health = Health(problems=AT_START)

    reported = [health.report("kafka", problem) for problem in ("gone", "gone", "slow", None, None, "gone")]

    assert reported == [True, False, True, True, False, True]


def test_returned_problems_do_not_change_afterwards() -> None:
    health = Health(problems=AT_START)
    problems = health.problems()

    health.report("kafka", "gone")

    assert problems["kafka"] == "not connected yet"


# Expected reports.


def test_a_missing_report_becomes_a_problem_after_the_timeout() -> None:
    clock = Clock()
    health = Health(clock, problems=AT_START)

    health.expect("kafka", 30, "has not answered for 30 s")

    assert health.problems() == {}
    clock.advance(29.9)
    assert health.problems() == {}
    clock.advance(0.1)
    assert health.problems() == {"kafka": "has not answered for 30 s"}


def test_any_report_ends_the_expectation() -> None:
    clock = Clock()
    health = Health(clock)
    health.expect("renewed", 30, "silent")
    health.expect("well", 30, "silent")
    health.expect("ill", 30, "silent")
    clock.advance(20)

    health.expect("renewed", 30, "silent")
    health.report("well", None)
    health.report("ill", "gone")
    clock.advance(29)

    assert health.problems() == {"ill": "gone"}


def test_a_report_after_the_timeout_is_a_change() -> None:
    clock = Clock()
    health = Health(clock)
    health.expect("kafka", 30, "silent")

    assert not health.report("kafka", None)
    health.expect("kafka", 30, "silent")
    clock.advance(30)
    assert health.report("kafka", None)


# Warnings.


def test_a_warning_is_no_problem_and_is_a_change_once() -> None:
    health = Health()

    reported = [health.warn("clock", warning) for warning in ("2 s ahead", "2 s ahead", "3 s ahead")]

    assert reported == [True, False, True]
    assert (health.warnings(), health.problems()) == ({"clock": "3 s ahead"}, {})
    assert health.warn("clock", None)
    assert health.warnings() == {}


# Liveness.


def test_a_component_is_alive_while_its_loop_turns() -> None:
    clock = Clock()
    health = Health(clock, has_loop=True)

    clock.advance(LIVE_WITHIN_SECS - 0.1)
    assert health.is_live()
    health.turned()
    clock.advance(LIVE_WITHIN_SECS - 0.1)
    assert health.is_live()
    clock.advance(0.1)
    assert not health.is_live()


def test_a_component_without_a_loop_cannot_be_stuck() -> None:
    clock = Clock()
    health = Health(clock)

    clock.advance(10 * LIVE_WITHIN_SECS)

    assert health.is_live()
    assert health.details() == {}


def test_problems_do_not_make_a_component_dead_nor_their_end_alive() -> None:
    clock = Clock()
    health = Health(clock, has_loop=True)
    health.report("kafka", "gone")
    assert health.is_live()

    clock.advance(LIVE_WITHIN_SECS)
    health.report("kafka", None)

    assert not health.is_live()


def test_details_are_the_last_that_were_noted() -> None:
    clock = Clock()
    health = Health(clock, has_loop=True)
    health.note(consumer_lag=5, committed_offsets={})
    health.note(consumer_lag=None)
    clock.advance(1.5)

    assert health.details() == {"consumer_lag": None, "committed_offsets": {}, "seconds_since_loop_turned": 1.5}


# All components together.


def test_an_instance_is_alive_if_all_of_it_is() -> None:
    clock = Clock()
    looping, still = Health(clock, has_loop=True), Health(clock)
    service = ServiceHealth({"ingest": looping, "query": still})

    assert service.is_live()
    clock.advance(LIVE_WITHIN_SECS)
    assert not service.is_live()


def test_an_instance_has_the_problems_and_warnings_of_all_of_it() -> None:
    ingest, query = Health(problems=AT_START), Health()
    service = ServiceHealth({"ingest": ingest, "query": query})

    query.report("clickhouse reader", "gone")
    query.warn("clock", "2 s ahead")

    assert service.problems() == {"kafka": "not connected yet", "clickhouse reader": "gone"}
    assert service.warnings() == {"clock": "2 s ahead"}


def test_the_details_of_an_instance_are_those_of_each_component_by_name() -> None:
    ingest, query = Health(), Health()
    ingest.note(consumer_lag=7)

    figures = ServiceHealth({"ingest": ingest, "query": query}).details()

    assert figures == {"components": {"ingest": {"consumer_lag": 7}, "query": {}}}
