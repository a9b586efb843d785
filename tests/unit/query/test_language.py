"""What a query means."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.query.errors import QueryError
from app.query.fields import Attribute, AttributeSource, Field, named
from app.query.language import MAX_BYTES, MAX_TERMS, parse
from app.query.syntax import MAX_DEPTH
from app.query.tree import And, Bound, Equals, Everything, Exists, Hint, Node, Not, Or, Range, StartsWith, Words
from tests.query.generated import trees
from tests.query.show import show

A, B, C, D = (Words(word) for word in "abcd")
X = Attribute("x")


def field(name: str) -> Field:
    """A column, by one of its names."""
    found = named(name)
    assert isinstance(found, Field)
    return found


SERVICE, LEVEL, MESSAGE, OFFSET = (field(name) for name in ("service", "level", "message", "offset"))
RESPONSE_TIME, TIMESTAMP = field("response_time_ms"), field("timestamp")


def at_least(value: str | float) -> Bound:
    return Bound(value, is_included=True)


def beyond(value: str | float) -> Bound:
    return Bound(value, is_included=False)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", Everything()),
        (" \t\n", Everything()),
        ("*", Everything()),
        ("timeout", Words("timeout")),
        ("payment-service", Words("payment-service")),
        ('"card declined"', Words("card declined")),
        ("timeo*", Words("timeo", is_open=True)),
        ('"card decl"*', Words("card decl", is_open=True)),
        ('"timeo*"', Words("timeo*")),
        ("user=5&x=[1]", Words("user=5&x=[1]")),
        ("é😀", Words("é😀")),
    ],
)
def test_free_text_is_searched_in_the_message(typed: str, meant: Node) -> None:
    assert parse(typed).tree == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a b", And((A, B))),
        ("a AND b && c", And((A, B, C))),
        ("a OR b || c", Or((A, B, C))),
        ("a OR b c OR d", Or((A, And((B, C)), D))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a (b (c d))", And((A, B, C, D))),
        ("-a", Not(A)),
        ("!a", Not(A)),
        ("NOT a", Not(A)),
        ("NOT a b", And((Not(A), B))),
        ("NOT (a b)", Not(And((A, B)))),
        ("--a", A),
        ("NOT NOT NOT a", Not(A)),
        ("+a +b -c", And((A, B, Not(C)))),
        ("a(b)c", And((A, B, C))),
        ("NOT(a)AND(b)", And((Not(A), B))),
    ],
)
def test_terms_are_joined(typed: str, meant: Node) -> None:
    assert parse(typed).tree == meant


@pytest.mark.parametrize("typed", ["and", "or", "not", "ORDER", "ANDROID", "NOTHING", "Not", "TO"])
def test_only_whole_words_in_capitals_are_operators(typed: str) -> None:
    assert parse(f"a {typed} b").tree == And((A, Words(typed), B))


def test_an_operator_in_quotes_is_a_word() -> None:
    assert parse('a "AND" b').tree == And((A, Words("AND"), B))


def test_a_minus_within_a_word_belongs_to_it() -> None:
    assert parse("payment-service -payment-gateway").tree == And(
        (Words("payment-service"), Not(Words("payment-gateway")))
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("service:payment-service", Equals(SERVICE, "payment-service")),
        ("service: payment-service", Equals(SERVICE, "payment-service")),
        ('service:"payment service"', Equals(SERVICE, "payment service")),
        ("service:pay*", StartsWith(SERVICE, "pay")),
        ('service:"pay*"', Equals(SERVICE, "pay*")),
        ("service:(a OR b*)", Or((Equals(SERVICE, "a"), StartsWith(SERVICE, "b")))),
        ("service:(-a -b)", And((Not(Equals(SERVICE, "a")), Not(Equals(SERVICE, "b"))))),
        ("-service:a b", And((Not(Equals(SERVICE, "a")), B))),
        ("service:*", Exists(SERVICE)),
        ('service:""', Not(Exists(SERVICE))),
        ("NOT service:*", Not(Exists(SERVICE))),
        ("user_id:123", Equals(field("UserId"), "123")),
        ("message:a", A),
        ('message:("a" OR b*)', Or((A, Words("b", is_open=True)))),
        ("message:*", Exists(MESSAGE)),
        ('message:""', Not(Exists(MESSAGE))),
    ],
)
def test_text_fields_are_compared_as_they_are(typed: str, meant: Node) -> None:
    assert parse(typed).tree == meant


@pytest.mark.parametrize("typed", ["4BF92F3577B34DA6A3CE929D0E0E4736", '"4bf92f35-77b3-4da6-a3ce-929d0e0e4736"'])
def test_an_id_of_a_trace_is_found_in_any_spelling(typed: str) -> None:
    assert parse(f"trace_id:{typed}").tree == Equals(field("trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736")
    assert parse(f"attributes.trace_id:{typed}").tree == Equals(
        Attribute("trace_id", AttributeSource.LOG), typed.strip('"')
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("level:ERROR", Equals(LEVEL, "error")),
        ("level:err", Equals(LEVEL, "error")),
        ("level:Warning", Equals(LEVEL, "warn")),
        ("level:Audit", Equals(LEVEL, "audit")),
        ("level:WAR*", StartsWith(LEVEL, "war")),
        ("level:>=warning", Range(LEVEL, at_least("WARN"), None)),
        ("level:<Error", Range(LEVEL, None, beyond("ERROR"))),
        ("level:[debug TO warn}", Range(LEVEL, at_least("DEBUG"), beyond("WARN"))),
    ],
)
def test_levels_are_known_by_every_word_for_them(typed: str, meant: Node) -> None:
    assert parse(typed).tree == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("response_time_ms:500", Equals(RESPONSE_TIME, 500.0)),
        ("response_time_ms:>500", Range(RESPONSE_TIME, beyond(500.0), None)),
        ("response_time_ms:> 500", Range(RESPONSE_TIME, beyond(500.0), None)),
        ("response_time_ms:<=1e3", Range(RESPONSE_TIME, None, at_least(1000.0))),
        ("response_time_ms:>-5", Range(RESPONSE_TIME, beyond(-5.0), None)),
        ("response_time_ms:[1 TO 5]", Range(RESPONSE_TIME, at_least(1.0), at_least(5.0))),
        ("response_time_ms:{1 TO 5]", Range(RESPONSE_TIME, beyond(1.0), at_least(5.0))),
        ("response_time_ms:[* TO 5}", Range(RESPONSE_TIME, None, beyond(5.0))),
        ('response_time_ms:["1" TO *]', Range(RESPONSE_TIME, at_least(1.0), None)),
        ("response_time_ms:[* TO *]", Exists(RESPONSE_TIME)),
        (
            "response_time_ms:(<1 OR [5 TO 6])",
            Or((Range(RESPONSE_TIME, None, beyond(1.0)), Range(RESPONSE_TIME, at_least(5.0), at_least(6.0)))),
        ),
        ("offset:18446744073709551615", Equals(OFFSET, 2**64 - 1)),
        ("x:>5", Range(X, beyond(5.0), None)),
        ("http.status_code:[500 TO 599]", Range(Attribute("http.status_code"), at_least(500.0), at_least(599.0))),
        ("user_id:<10", Range(field("user_id"), None, beyond(10.0))),
    ],
)
def test_numbers_are_compared_as_numbers(typed: str, meant: Node) -> None:
    assert parse(typed).tree == meant


def test_a_response_time_is_the_one_that_its_column_can_hold() -> None:
    tree = parse("response_time_ms:0.1").tree

    assert tree == Equals(RESPONSE_TIME, 0.10000000149011612)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("timestamp:>=2026-11-23", Range(TIMESTAMP, at_least(1_795_392_000_000_000_000), None)),
        ("timestamp:<2026-11-23T10:15:30.5Z", Range(TIMESTAMP, None, beyond(1_795_428_930_500_000_000))),
        ("timestamp:<2026-11-23T11:15:30+01:00", Range(TIMESTAMP, None, beyond(1_795_428_930_000_000_000))),
        (
            '@timestamp:["2026-11-23 10:15" TO *]',
            Range(TIMESTAMP, at_least(1_795_428_900_000_000_000), None),
        ),
    ],
)
def test_times_are_compared_as_times(typed: str, meant: Node) -> None:
    assert parse(typed).tree == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("x:y", X),
        ("attributes.x:y", Attribute("x", AttributeSource.LOG)),
        ("LogAttributes.x:y", Attribute("x", AttributeSource.LOG)),
        ("resource.x:y", Attribute("x", AttributeSource.RESOURCE)),
        ("ResourceAttributes.x:y", Attribute("x", AttributeSource.RESOURCE)),
        ("attributes.service:y", Attribute("service", AttributeSource.LOG)),
        ("host:y", Attribute("host.name", AttributeSource.RESOURCE)),
        ("hostname:y", Attribute("host.name", AttributeSource.RESOURCE)),
        ("X:y", Attribute("X")),
        ("two\\ words:y", Attribute("two words")),
        ("a\\:b:y", Attribute("a:b")),
        ("AND:y", Attribute("AND")),
    ],
)
def test_every_other_name_is_an_attribute(typed: str, meant: Attribute) -> None:
    assert parse(typed).tree == Equals(meant, "y")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("x:10:15:30", "10:15:30"),
        ("x:http\\://y", "http://y"),
        ("x:-5", "-5"),
        ("x:y\\*", "y*"),
        ("x:a\\ b", "a b"),
        ("x:\\(a\\)", "(a)"),
        ('x:"a\\"b"', 'a"b'),
        ('x:"C:\\\\temp"', "C:\\temp"),
        ('x:"a:(b) [c] * -d"', "a:(b) [c] * -d"),
        ('x:"line\nend"', "line\nend"),
        ("x:(a:b)", "a:b"),
        ("x:ANDROID", "ANDROID"),
        ('x:"AND"', "AND"),
        ("x:''", "''"),
    ],
)
def test_a_value_is_what_was_typed(typed: str, value: str) -> None:
    assert parse(typed).tree == Equals(X, value)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("a servce:x", Hint("servce at 2: was service meant?", "a service:x")),
        ("Level:error", Hint("Level at 0: was level meant?", "level:error")),
        ("respons_time_ms:>5", Hint("respons_time_ms at 0: was response_time_ms meant?", "response_time_ms:>5")),
        ("level:eror", Hint("eror at 6: was error meant?", "level:error")),
        ("a and b", Hint("and at 2: was AND meant?", "a AND b")),
    ],
)
def test_probable_mistakes_get_a_hint(typed: str, hint: Hint) -> None:
    assert parse(typed).hints == (hint,)


@pytest.mark.parametrize(
    "typed", ["message_id:5", "user:x", "attributes.servce:x", 'a "and" b', "level:audit", "x:and"]
)
def test_plausible_queries_get_no_hint(typed: str) -> None:
    assert parse(typed).hints == ()


@pytest.mark.parametrize(
    "typed",
    [
        "x" * MAX_BYTES,
        "-" * (MAX_BYTES - 1) + "a",
        "(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH,
        "(a)" * MAX_TERMS,
        "x:(" + "a " * MAX_TERMS + ")",
    ],
    ids=["long", "signs", "deep", "terms", "values"],
)
def test_the_largest_query_is_read(typed: str) -> None:
    parse(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("level=error", "level:error"),
        ("level = error", "level:error"),
        ("level== error", "level:error"),
        ("-level=error x", "-level:error x"),
        ("level=error OR level=warn", "level:error OR level:warn"),
        ("level=>warn", "level:>=warn"),
        ('service="payment service"', 'service:"payment service"'),
        ("service=pay*", "service:pay*"),
        ("user.id=5", "user_id:5"),
        ("attributes.a=b", "attributes.a:b"),
        ("message=timeout", "message:timeout"),
        ("a!=b", "-a:b"),
        ("a != b", "-a:b"),
        ("a <> b", "-a:b"),
        ("level<>error", "-level:error"),
        ("a = b", "a:b"),
        ("response_time_ms>500", "response_time_ms:>500"),
        ("response_time_ms <= 500", "response_time_ms:<=500"),
        ("bytes>=1e3", "bytes:>=1e3"),
        ("timestamp>=2026-11-23T10:15:30Z", "timestamp:>=2026-11-23T10:15:30Z"),
        ("level:ERROR,WARN", "level:(error OR warn)"),
        ("level=err,warning,err", "level:(error OR warn)"),
        ("partition:1,2", "partition:(1 OR 2)"),
        ("_exists_:trace_id", "trace_id:*"),
        ("NOT _exists_:a", "-a:*"),
        ("_exists_:(a OR b)", "a:* OR b:*"),
        ("_missing_:a", "-a:*"),
        ("*:*", "*"),
        ("NOT *:*", "-*"),
    ],
)
def test_other_forms_of_a_condition_are_read_where_nothing_else_can_be_meant(typed: str, meant: str) -> None:
    assert parse(typed).tree == parse(meant).tree


@pytest.mark.parametrize(
    "typed",
    [
        *("user=5", "a==b", "a<>b", "x->y", "List<String>", "a<b", "http.status_code=500", "service=web&level=error"),
        *("msg=hello", "time=35ms", "response_time_ms=fast", "url=http://x/y?a=b"),
    ],
)
def test_text_with_an_operator_in_it_is_searched_for(typed: str) -> None:
    assert parse(typed).tree == Words(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ('{service="web"}', "service:web"),
        (
            '{service="web", level=~"error|warn"} |= "time out" != "x" | json',
            'service:web level:(error OR warn) "time out" -"x"',
        ),
        ('{app!="a b"} |~ "refused|reset" !~ "[0-9]+"', '-app:"a b" ("refused" OR "reset")'),
        ("level:error | stats count() by service", "level:error"),
        ("error |stats count", "error"),
        ('level:error |= "x"', 'level:error "x"'),
        ("service:web | where level=error", "service:web level=error"),
        ("level = error | sort timestamp", "level = error"),
        ("::1", '"::1"'),
        ('{"a":1}', '"{\\"a\\":1}"'),
        ("C:\\temp", '"C:\\\\temp"'),
        ("foo(bar", '"foo(bar"'),
        ('a "b c', 'a "b c"'),
        ("time: 5 ms", '"time: 5 ms"'),
    ],
)
def test_a_query_that_cannot_be_read_is_refused_with_one_that_can(typed: str, meant: str) -> None:
    error = error_of(typed)

    assert error is not None
    assert [hint.query for hint in error.hints] == [meant]
    parse(meant)


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        ('service=~"web.*"', "service:web*"),
        ('service=~"^(web|api.+)$"', "service:(web OR api*)"),
        ('timestamp:"2026-11-23 10:15"', 'timestamp:>="2026-11-23 10:15"'),
        ("timestamp:now-1h", ""),
        ("timestamp:>=now-1h", ""),
        ("level:>30", "info"),
        ("a = ", ""),
    ],
)
def test_a_suggestion_is_valid_itself(typed: str, suggestion: str) -> None:
    error = error_of(typed)

    assert error is not None
    assert error.suggestion == suggestion
    parse(suggestion)


@pytest.mark.parametrize("typed", ['"a | b"', "a|b", "a |b", "a || b", '"{a=1}"'])
def test_a_pipe_within_text_is_text(typed: str) -> None:
    parse(typed)


@settings(deadline=None)
@given(trees(), st.booleans())
def test_every_tree_can_be_typed(tree: Node, in_quotes: bool) -> None:
    assert parse(show(tree, in_quotes=in_quotes)).tree == tree


PIECES = (
    *("a", "AND", "OR", "NOT", "TO", "level", "offset", "timestamp", "x", "5", "2026-11-23", " ", "é"),
    *("(", ")", "[", "]", "{", "}", ":", '"', "\\", "*", "-", ">=", "<"),
)


def error_of(text: str) -> QueryError | None:
    """The error of a query, or None."""
    try:
        parse(text)
    except QueryError as error:
        return error
    return None


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(
        st.text(),
        st.text(alphabet='ab"\\()[]{}:*<>=-+! \n&|_.é😀\0'),
        st.lists(st.sampled_from(PIECES)).map("".join),
    )
)
def test_any_text_is_a_query_or_an_error_with_a_position(text: str) -> None:
    error = error_of(text)

    if error is not None:
        assert 0 <= error.position <= len(text)
        assert error.near in text
        assert error.reason
