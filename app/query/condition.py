"""The tree of a query as an SQL condition. User input becomes bound parameters, never SQL text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct, field

from app.domain.columns import Kind
from app.domain.severity import SEVERITY_NUMBER
from app.query.attribute_reference import reference
from app.query.fields import Attribute, Field, Named
from app.query.tree import And, Bound, Equals, Everything, Exists, Node, Not, Or, Range, StartsWith, Words
from app.query.words import EDGE, begins_with_word, ends_with_word, lowered, searched_form, tokens_of

Parameter: TypeAlias = str | int | float | list[str]

SERVICE_AND_LEVEL: Final = frozenset({"ServiceName", "SeverityText", "SeverityNumber"})
"""The columns of service and level, by which logs are counted in advance (see `rollups`)."""
_WITHOUT_INDEX: Final = SERVICE_AND_LEVEL | {"LogAttributes", "ResourceAttributes", "ResponseTimeMs"}

_BODY: Final = "lower(Body)"  # as the text index has it
_EDGE: Final = r"[\x00-\x2f\x3a-\x60\x7b-\x7f]"  # characters that belong to no word, in lowercase text
_MAX_TOKENS: Final = 64  # the limit of the first ClickHouse versions with hasAllTokens
_NUMBERS_OF_A_SEVERITY: Final = 4
_COMPARED_AS: Final = {
    Kind.TEXT: ("Float64", "{}"),
    Kind.NUMBER: ("Float64", "{}"),
    Kind.WHOLE: ("UInt64", "{}"),
    Kind.TIME: ("Int64", "fromUnixTimestamp64Nano({}, 'UTC')"),
}


class Condition(Struct, frozen=True):
    """An SQL expression that is 0 or 1 for every row and never NULL, and its bound values.

    It holds references to attributes (see `attribute_reference`).
    """

    sql: str
    parameters: Mapping[str, Parameter]
    columns: frozenset[str]
    """The columns that it reads. A rollup can be used only if it has all of them."""
    equal: Mapping[str, str] = field(default_factory=dict)
    """Columns that must equal one text for the condition to be true, each with the placeholder of that text."""
    words: Sequence[str] = ()
    """Words that the message must have for the condition to be true."""
    tree: Node = field(default_factory=Everything)
    """A tree that matches the same rows, or more."""
    scope: Node = field(default_factory=Everything)
    """The tree of the scope, which every statement has as a condition of its own."""

    @property
    def is_of_service_and_level(self) -> bool:
        """Whether it reads nothing else: small columns, and none that an index has besides the primary key."""
        return self.columns <= SERVICE_AND_LEVEL

    @property
    def is_unindexed(self) -> bool:
        """Whether no index besides the primary key can rule out rows: it is on service, level and ranges of numbers."""
        return self.columns <= _WITHOUT_INDEX and not (_is_indexed(self.tree) or _is_indexed(self.scope))


def condition_of(tree: Node, *, prefix: str = "query") -> Condition:
    """The condition for the rows that a tree matches; names of parameters begin with the prefix."""
    writer = _Writer(prefix)
    sql = writer.condition(tree)
    always = list(_always(tree))
    equal = dict(writer.equality(node) for node in always if isinstance(node, Equals))
    words = [word for node in always if isinstance(node, Words) for word in _whole_words(node)]
    return Condition(sql, writer.parameters, frozenset(writer.columns), equal, words, tree)


def _is_indexed(tree: Node) -> bool:
    """Whether a part of it is on the text of an attribute, whose column may have an index for that."""
    match tree:
        case And() | Or():
            return any(map(_is_indexed, tree.parts))
        case Not():
            return _is_indexed(tree.part)
        case Equals() | StartsWith() | Exists():
            return isinstance(tree.field, Attribute)
    return False


def _always(tree: Node) -> Iterator[Equals | Words]:
    """The equalities of text columns, and the words, that every matching row fulfils."""
    match tree:
        case And():
            for part in tree.parts:
                yield from _always(part)
        case Equals(field=Field(kind=Kind.TEXT)) | Words():
            yield tree


def _whole_words(node: Words) -> Sequence[str]:
    """Its words, without one that may be the beginning of a longer one."""
    form = searched_form(node.text)
    words = tokens_of(form)
    return words[:-1] if node.is_open and ends_with_word(form) else words


class _Writer:
    """Writes one condition."""

    def __init__(self, prefix: str) -> None:
        self.parameters: dict[str, Parameter] = {}
        self._prefix = prefix
        self.columns: set[str] = set()
        self._names: dict[tuple[str, str], str] = {}

    def condition(self, node: Node) -> str:
        """SQL that needs no further parentheses beside AND, OR and NOT."""
        match node:
            case Everything():
                return "true"
            case And():
                return f"({' AND '.join(self.condition(part) for part in node.parts)})"
            case Or():
                return f"({' OR '.join(self.condition(part) for part in node.parts)})"
            case Not():
                return f"(NOT {self.condition(node.part)})"
            case Words():
                return self._words(node)
            case Equals():
                return self._equals(node)
            case StartsWith():
                return f"startsWith({self._text(node.field)}, {self._bound('String', node.text)})"
            case Exists():
                return self._exists(node.field)
            case Range():
                return self._range(node)

    def _words(self, node: Words) -> str:
        self.columns |= {"Body", "_words"}
        form = searched_form(node.text)
        if not form:
            return "true"  # nothing of the text is searched for
        # A row with a form of its own is searched in that. Rows of former versions have none, whatever they hold: they
        # are searched for what was typed, as those versions did.
        typed = list(dict.fromkeys([lowered(node.text), *([] if EDGE in form else [form])]))
        found = [self._found_in(_BODY, text, is_open=node.is_open) for text in typed]
        of_body = found[0] if len(found) == 1 else f"({' OR '.join(found)})"
        of_form = self._found_in("_words", form, is_open=node.is_open)
        return f"((_words = '' AND {of_body}) OR {of_form})"

    def _found_in(self, column: str, text: str, *, is_open: bool) -> str:
        words = tokens_of(text)
        # An edge separates words: next to one, a word is whole.
        if words == [text.strip(EDGE)] and not (is_open and ends_with_word(text)):
            return f"hasAllTokens({column}, {self._bound('Array(String)', words)})"
        unfinished = words.pop() if is_open and ends_with_word(text) else ""
        conditions = []
        # The skip index finds the candidate rows, ...
        if words:
            indexed = list(dict.fromkeys(words))[:_MAX_TOKENS]
            conditions.append(f"hasAllTokens({column}, {self._bound('Array(String)', indexed)})")
        elif unfinished:  # holds neither % nor _ nor a backslash
            conditions.append(f"{column} LIKE {self._bound('String', f'%{unfinished}%')}")
        # ... and match() checks their text.
        conditions.append(f"match({column}, {self._bound('String', _pattern(text, is_open=is_open))})")
        return f"({' AND '.join(conditions)})"

    def _equals(self, node: Equals) -> str:
        field = node.field
        match field.kind:
            case Kind.NUMBER:
                return f"ifNull({self._column(field)} = {self._bound('Float64', node.value)}, 0)"
            case Kind.WHOLE:
                return f"({self._column(field)} = {self._bound('UInt64', node.value)})"
            case _:
                return f"({self._text(field)} = {self._bound('String', node.value)})"

    def equality(self, node: Equals) -> tuple[str, str]:
        """The column, and the placeholder of the text that it must equal."""
        return self._column(node.field), self._bound("String", node.value)

    def _exists(self, field: Named) -> str:
        match field.kind:
            case Kind.NUMBER:
                return f"isNotNull({self._column(field)})"
            case Kind.WHOLE | Kind.TIME:
                return "true"  # every row has it
            case _:
                return f"({self._text(field)} != '')"

    def _range(self, node: Range) -> str:
        kind = node.field.kind
        if kind is Kind.LEVEL:
            return self._severities(node)
        if kind is Kind.TEXT:
            return f"ifNull({self._between(f'toFloat64OrNull({self._text(node.field)})', node)}, 0)"
        between = self._between(self._column(node.field), node)
        return f"ifNull({between}, 0)" if kind is Kind.NUMBER else f"({between})"

    def _between(self, value: str, node: Range) -> str:
        of_type, form = _COMPARED_AS[node.field.kind]
        conditions = []
        if node.lower:
            sign = ">=" if node.lower.is_included else ">"
            conditions.append(f"{value} {sign} {form.format(self._bound(of_type, node.lower.value))}")
        if node.upper:
            sign = "<=" if node.upper.is_included else "<"
            conditions.append(f"{value} {sign} {form.format(self._bound(of_type, node.upper.value))}")
        return " AND ".join(conditions)

    def _severities(self, node: Range) -> str:
        """Each severity has four numbers; a row without one of the six severities is in no range."""
        self.columns.add("SeverityNumber")
        lowest = _severity_number(node.lower, is_past=not node.lower.is_included) if node.lower else 1
        conditions = [f"SeverityNumber >= {self._bound('UInt8', lowest)}"]
        if node.upper:
            past = _severity_number(node.upper, is_past=node.upper.is_included)
            conditions.append(f"SeverityNumber < {self._bound('UInt8', past)}")
        return f"({' AND '.join(conditions)})"

    def _text(self, field: Named) -> str:
        if isinstance(field, Attribute):
            self.columns |= {"LogAttributes", "ResourceAttributes"}
            return reference(field.source, self._parameter("String", field.key))
        column = self._column(field)
        return f"lower({column})" if field.kind is Kind.LEVEL else column

    def _column(self, field: Named) -> str:
        assert isinstance(field, Field)  # attributes are text
        self.columns.add(field.column)
        return field.column

    def _bound(self, of_type: str, value: Parameter) -> str:
        """The placeholder of a value."""
        return f"{{{self._parameter(of_type, value)}:{of_type}}}"

    def _parameter(self, of_type: str, value: Parameter) -> str:
        """The name of the parameter for a value."""
        known = (of_type, repr(value))
        if known not in self._names:
            self._names[known] = f"{self._prefix}_{len(self.parameters)}"
            self.parameters[self._names[known]] = value
        return self._names[known]


def _severity_number(bound: Bound, *, is_past: bool) -> int:
    return SEVERITY_NUMBER[str(bound.value)] + (_NUMBERS_OF_A_SEVERITY if is_past else 0)


def _pattern(text: str, *, is_open: bool) -> str:
    """A regular expression (RE2) that matches the text literally, at word boundaries."""
    before = rf"(?:\A|{_EDGE})" if begins_with_word(text) else ""
    after = rf"(?:{_EDGE}|\z)" if ends_with_word(text) and not is_open else ""
    return f"{before}{''.join(map(_literally, text))}{after}"


def _literally(character: str) -> str:
    if character == "\0":
        return r"\x00"
    # After a backslash, letters and digits have a special meaning; other ASCII characters stand for themselves.
    return character if character.isalnum() or ord(character) >= 128 else f"\\{character}"
