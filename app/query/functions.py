"""What can be asked of many logs: counts, sums, quantiles; each as SQL over rows and over what rollups hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.query.errors import BadParameter
from app.query.expressions import Expressions

_QUANTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")
_PLAIN: Final = ("sum", "avg", "min", "max")
_EXAMPLES: Final = "count, count_distinct, sum, avg, min, max, p50, p95, p99, p99.9"
_APPROXIMATE: Final[Mapping[str, str]] = {
    "count_distinct": "usually within 1 %",
    "quantile": "within 1 % of the value",
}


@dataclass(frozen=True, slots=True)
class Function:
    """One figure: what is done (`count`, `avg`, `p99` ...) with which field."""

    name: str
    field: str = ""

    @property
    def approximation(self) -> str | None:
        """How far the figure may be from the exact one; None if it is exact."""
        return _APPROXIMATE.get("quantile" if self.is_quantile else self.name)

    def over_rows(self, expressions: Expressions) -> str:
        """The figure as an expression over rows. Over no number at all there is none, which is not nought."""
        if self.name == "count" and not self.field:
            return "count()"
        if self.name == "count":
            return f"countIf({expressions.text(self.field)} != '')"
        if self.name == "count_distinct":
            text = expressions.text(self.field)
            return f"uniqIf({text}, {text} != '')"
        number = expressions.number(self.field)
        if self.is_quantile:
            # The sketch holds so many magnitudes and no more.
            near = f"greatest(-1e15, least(1e15, {number}))"
            bounded = f"multiIf(isNull({number}), NULL, abs({number}) < 1e-9, 0, {near})"
            figure = f"quantileDD(0.01, {self._share})({bounded})"
        else:
            figure = f"{self.name}({number})"
        if self.name in ("min", "max"):
            figure = f"toFloat64OrNull(toString({figure}))"  # a 32-bit float without the digits that nobody measured
        return f"if(count({number}) = 0, NULL, {figure})"

    @property
    def is_sum(self) -> bool:
        """Whether counts and sums of groups of rows answer it."""
        return self.name in ("count", "sum", "avg")

    @property
    def is_quantile(self) -> bool:
        """Whether it is a quantile."""
        return _QUANTILE.fullmatch(self.name) is not None

    def over_sums(self) -> str:
        """The figure as an expression over `logged` (rows), `measured` (rows with a number) and `total` (their sum)."""
        if self.name == "count":
            return "sum(measured)" if self.field else "sum(logged)"
        return (
            "if(sum(measured) = 0, NULL, sum(total))" if self.name == "sum" else "sum(total) / nullIf(sum(measured), 0)"
        )

    def over_buckets(self, value: str) -> str:
        """A count or a quantile as an expression over `logged` (rows) and the value that stands for theirs."""
        if not self.is_quantile:
            return f"sumIf(logged, isNotNull({value}))" if self.field else "sum(logged)"
        figure = f"quantileExactWeighted({self._share})({value}, logged)"
        return f"if(countIf(isNotNull({value})) = 0, NULL, {figure})"

    @property
    def _share(self) -> str:
        """Of a quantile: the part of all values that are not above it, as SQL."""
        return f"{float(self.name.removeprefix('p')) / 100:g}"


def read_functions(names: str, field: str) -> list[Function]:
    """The functions of a comma-separated list, each of the same field.

    Raises:
        BadParameter: one is not known, or needs a field and there is none.
    """
    functions = [Function(name, field) for name in dict.fromkeys(part.strip() for part in names.split(","))]
    for function in functions:
        if function.name not in ("count", "count_distinct", *_PLAIN) and not function.is_quantile:
            raise BadParameter("function", f"function={function.name} is not known; there are {_EXAMPLES}")
        if function.name != "count" and not field:
            raise BadParameter("field", f"function={function.name} needs a field, such as field=response_time_ms")
    return functions
