"""What the keys of plain objects tell compiled code."""

from __future__ import annotations

import pytest

from app.formats.plain_plan import ATTRIBUTE, NUMBER, TEXT_FIELDS, TIME, Inner, Rule, plan_of

MESSAGE, LEVEL, HOST = (TEXT_FIELDS.index(field) for field in ("message", "level", "host"))


def leaves(keys: str, *inner: Inner) -> list[tuple[object, ...]] | None:
    """The leaves of objects with these keys; `inner` is of the last of them."""
    names = tuple(keys.split())
    plan = plan_of(names, [*[None] * (len(names) - len(inner)), *inner])
    return None if plan is None else [tuple(leaf) for leaf in plan.leaves]


def test_values_go_to_fields_and_attributes_in_their_order() -> None:
    assert leaves("ts lvl text duration_ms hostname x") == [
        (TIME, "", Rule.NONE),
        (LEVEL, "", Rule.LEVEL),
        (MESSAGE, "", Rule.MESSAGE),
        (NUMBER, "", Rule.NONE),
        (HOST, "", Rule.NONE),
        (ATTRIBUTE, "x", Rule.NONE),
    ]


def test_the_keys_of_an_object_inside_are_attributes() -> None:
    assert leaves("message a", ("b", "c.d")) == [
        (MESSAGE, "", Rule.MESSAGE),
        (ATTRIBUTE, "a.b", Rule.NONE),
        (ATTRIBUTE, "a.c.d", Rule.NONE),
    ]
    assert leaves("message attributes", ("b",)) == [(MESSAGE, "", Rule.MESSAGE), (ATTRIBUTE, "b", Rule.NONE)]


@pytest.mark.parametrize(
    ("keys", "inner"),
    [
        ("x", None),  # no message
        ("message msg", None),  # two of them
        ("message message", None),
        ("message a", ()),
        ("message a", ("b", "b")),
        ("message mdc", ("traceId",)),  # means something itself
        ("message service", ("name",)),
        ("message x attributes", ("x",)),
        ("message log.receiver.token", None),  # of a receipt, or so it says
        ("message " + "n" * 257, None),
        ("message a", tuple(map(str, range(1001)))),
        ("message status method", None),  # an access log, whose level is that of its status
    ],
)
def test_what_is_not_plain_has_no_plan(keys: str, inner: Inner) -> None:
    assert leaves(keys, inner) is None


def test_values_that_would_say_more_are_left_to_the_reference() -> None:
    assert leaves("message trace_id span_id") == [
        (MESSAGE, "", Rule.MESSAGE),
        (TEXT_FIELDS.index("trace_id"), "", Rule.NO_SLASH),
        (TEXT_FIELDS.index("span_id"), "", Rule.NO_SLASH),
    ]
    assert leaves("message timestamp logTime") == [
        (MESSAGE, "", Rule.MESSAGE),
        (TIME, "", Rule.MOMENT),
        (ATTRIBUTE, "logTime", Rule.ONE_VALUE),
    ]
    assert leaves("time level msg pid") == [  # pino's: a key without a value is no mark of it
        (TIME, "", Rule.NOT_NULL),
        (LEVEL, "", Rule.LEVEL | Rule.NOT_NULL),
        (MESSAGE, "", Rule.MESSAGE | Rule.NOT_NULL),
        (ATTRIBUTE, "pid", Rule.NOT_NULL),
    ]


def test_a_level_is_a_word_or_a_number_on_the_scale_of_its_logger() -> None:
    plan = plan_of(("time", "level", "msg", "pid"), [None] * 4)

    assert plan is not None
    assert [plan.level_text(level) for level in ("warn", 30, "50", 7.5, "", None)] == [
        "warn",
        "INFO",
        "ERROR",
        None,
        None,
        None,
    ]
