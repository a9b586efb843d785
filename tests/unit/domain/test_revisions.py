"""Which rows others have replaced."""

from app.domain.revisions import Place, RemovedRow, Version, made_of_removed, superseded

HERE = Place("id", 0, 7)


def row(item: int, items: int, revision: int, place: Place = HERE) -> Version:
    return Version(place, item, items, revision)


def test_nothing_is_replaced_by_what_the_service_itself_stores() -> None:
    assert superseded([row(0, 2, 0), row(1, 2, 0)]) == []
    assert superseded([row(0, 1, 0), row(0, 1, 0)]) == []  # stored twice: not for this rule to repair


def test_a_row_is_replaced_by_one_of_a_higher_revision() -> None:
    old, new = row(1, 3, 0), row(1, 3, 5)

    assert superseded([row(0, 3, 0), old, new, row(2, 3, 0)]) == [old]
    assert superseded([old, row(1, 3, 4), new]) == [old, row(1, 3, 4)]
    assert superseded([row(1, 3, 4), row(1, 3, 5, Place("id", 0, 8))]) == []


def test_a_record_that_became_several_rows_is_replaced_when_all_are_there() -> None:
    old = row(0, 1, 0)

    assert superseded([old, row(0, 2, 5)]) == []
    assert superseded([old, row(1, 2, 5), row(1, 2, 5)]) == []
    assert superseded([old, row(0, 2, 5), row(1, 2, 5)]) == [old]


def test_rows_of_different_runs_do_not_complete_each_other() -> None:
    old = row(0, 1, 0)

    assert superseded([old, row(0, 2, 5), row(1, 2, 6)]) == []


def test_what_a_killed_run_has_left_is_replaced_by_a_later_one() -> None:
    old, left = row(0, 1, 0), row(1, 2, 5)

    assert superseded([old, left, row(0, 2, 6), row(1, 2, 6)]) == [old, left]
    assert superseded([left, row(0, 3, 6), row(1, 3, 6), row(2, 3, 6)]) == [left]


def test_rows_that_do_not_say_how_many_their_record_has_are_replaced_one_by_one() -> None:
    assert superseded([row(0, 0, 0), row(0, 0, 5)]) == [row(0, 0, 0)]


def removed(item: int, items: int) -> RemovedRow:
    return RemovedRow(HERE, item, items)


def test_a_row_that_was_removed_since_counts_as_one_of_those_that_replace_a_record() -> None:
    old, new = row(0, 1, 0), row(0, 2, 5)

    assert superseded([old, new]) == []
    assert superseded([old, new], [removed(1, 2)]) == [old]
    assert superseded([old, new], [removed(1, 3), RemovedRow(Place("id", 0, 8), 1, 2)]) == []


def test_what_was_made_of_a_removed_row_is_to_be_deleted_too() -> None:
    assert made_of_removed([row(0, 2, 5), row(1, 2, 5), row(1, 2, 0)], [removed(1, 2)]) == [row(1, 2, 5)]
    assert made_of_removed([row(0, 2, 5), row(1, 2, 5)], [removed(0, 1)]) == [row(0, 2, 5), row(1, 2, 5)]
    assert made_of_removed([row(0, 2, 5, Place("id", 0, 8))], [removed(0, 2)]) == []


def test_a_row_stays_if_only_a_part_of_another_reading_was_removed() -> None:
    """An insert of a killed run may land after those of a later one, which read the record as one row."""
    assert made_of_removed([row(0, 1, 6), row(0, 2, 5)], [removed(1, 2)]) == []
