"""The aggregate functions: counts, sums, quantiles. A function is added here and nowhere else."""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from app.query.buckets import middle
from app.query.errors import BadParameter
from app.query.expressions import Expressions

_QUANTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")
_OverRows: TypeAlias = Callable[[Expressions, str], str]


class _Definition(Struct, frozen=True):
    """A function as SQL, over rows and over each kind of rollup."""

    over_rows: _OverRows
    """Returns the expression for a field."""
    over_sums: str = ""
    """Over `logged` (rows), `measured` (rows with a number) and `total` (their sum); "" if these do not suffice."""
    over_buckets: str = ""
    """Over `logged` (rows) and `{value}`, which stands for the numbers of these rows; "" if these do not suffice."""
    approximation: str | None = None
    """The error bound of the result; None if it is exact."""
    without_field: "_Definition | None" = None
    """The definition without a field; None if the function needs one."""


def _count_of_values(expressions: Expressions, field: str) -> str:
    return f"countIf({expressions.text(field)} != '')"


def _count_distinct(expressions: Expressions, field: str) -> str:
    text = expressions.text(field)
    return f"uniqIf({text}, {text} != '')"


def _of_numbers(function: Callable[[str], str]) -> _OverRows:
    """A function of numbers, which takes the SQL of a number. Its result over no values is NULL, not 0."""

    def over_rows(expressions: Expressions, field: str) -> str:
        number = expressions.number(field)
        return f"if(count({number}) = 0, NULL, {function(number)})"

    return over_rows


def _quantile(share: str) -> _Definition:
    """The quantile for a share from 0 to 1: the least value that at least this share of the values does not exceed.

    Rows and rollups give the same result, since both weigh the middles of the same buckets.
    """
    of_values = f"quantileExactWeighted({share})"
    return _Definition(
        _of_numbers(lambda number: f"{of_values}({middle(number)}, 1)"),
        over_buckets=f"if(countIf(isNotNull({{value}})) = 0, NULL, {of_values}(toFloat64({{value}}), logged))",
        approximation="within 1 % of the value",
    )


_COUNT_OF_ROWS: Final = _Definition(lambda _expressions, _field: "count()", "sum(logged)", "sum(logged)")
_SHORTEST: Final = "toFloat64OrNull(toString({}))"  # a 32-bit float without spurious digits
_FUNCTIONS: Final[Mapping[str, _Definition]] = {
    "count": _Definition(
        _count_of_values, "sum(measured)", "sumIf(logged, isNotNull({value}))", without_field=_COUNT_OF_ROWS
    ),
    "count_distinct": _Definition(_count_distinct, approximation="usually within 1 %"),
    "sum": _Definition(_of_numbers("sum({})".format), "if(sum(measured) = 0, NULL, sum(total))"),
    "avg": _Definition(_of_numbers("avg({})".format), "sum(total) / nullIf(sum(measured), 0)"),
    "min": _Definition(_of_numbers(_SHORTEST.format("min({})").format)),
    "max": _Definition(_of_numbers(_SHORTEST.format("max({})").format)),
}
NAMES: Final = (*_FUNCTIONS, "p50", "p95", "p99", "p99.9")
"""All functions, with some quantiles as examples."""
SUMMARY: Final = f"{', '.join(f'`{name}`' for name in _FUNCTIONS)}, `p50` to `p99.9`"
"""All functions, for documents."""


class Function(Struct, frozen=True):
    """One aggregate: a function (`count`, `avg`, `p99` ...) of a field.

    Raises:
        BadParameter: the function is not known, or needs a field and has none.
    """

    name: str
    field: str = ""

    def __post_init__(self) -> None:
        if self.name not in _FUNCTIONS and not _QUANTILE.fullmatch(self.name):
            raise BadParameter("function", f"function={self.name} is unknown; use one of {', '.join(NAMES)}")
        if not self.field and self._named.without_field is None:
            raise BadParameter("field", f"function={self.name} needs a field, such as field=response_time_ms")

    @property
    def approximation(self) -> str | None:
        """The error bound of the result; None if it is exact."""
        return self._definition.approximation

    def over_rows(self, expressions: Expressions) -> str:
        """The aggregate as an expression over rows."""
        return self._definition.over_rows(expressions, self.field)

    @property
    def over_sums(self) -> str:
        """The aggregate as an expression over counts and sums of a rollup (see `rollups`); "" if there is none."""
        return self._definition.over_sums

    def over_buckets(self, value: str) -> str:
        """The aggregate as an expression over response time buckets, `value` being a bucket's; "" if there is none."""
        return self._definition.over_buckets.format(value=value)

    @property
    def _named(self) -> _Definition:
        if found := _QUANTILE.fullmatch(self.name):
            return _quantile(f"{float(found[1]) / 100:g}")
        return _FUNCTIONS[self.name]

    @property
    def _definition(self) -> _Definition:
        named = self._named
        return named.without_field if named.without_field and not self.field else named


def read_functions(names: str, field: str) -> list[Function]:
    """The functions of a comma-separated list, each of the same field.

    Raises:
        BadParameter: see `Function`.
    """
    return [Function(name, field) for name in dict.fromkeys(part.strip() for part in names.split(","))]
