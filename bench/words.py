"""`python -m bench.words`: ways of finding words of any script, on ASCII logs and on logs of many scripts.

Each table holds the same messages, and in one thing or another what finds their words. Measured are bytes per row, what
an insert costs, and how long a search for a word takes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import pyarrow as pa

from app.backends.clickhouse.client import connect
from app.domain.words import searched_form, searched_forms
from app.query.words import tokens_of
from bench.command import RESULTS, circumstances, positive, run
from bench.history import load_history
from bench.processes import cpu_secs
from bench.report import table as as_table
from bench.report import write_results
from bench.stack import DATABASE, BenchStack, running_stack

_NAME: Final = "words"
_BODIES: Final = Path(__file__).with_name("words_bodies.txt")
_SHIPPED: Final = "a form in a column, empty for ASCII (as it is)"
_BEFORE: Final = "no index of forms (as it was)"
_BLOCK: Final = 100_000
_TYPE: Final = "TYPE text(tokenizer = {}, posting_list_codec = 'bitpacking')"
_SPLIT: Final = _TYPE.format("'splitByNonAlpha'")
_BODY_WORDS: Final = f"INDEX body_words lower(Body) {_SPLIT}"
# What domain/words.py does, as SQL: shorter, since Han, kana, Hangul and Thai are all that it knows.
_FORM: Final = (
    r"if(length(Body) = lengthUTF8(Body) AND position(Body, '\x1b') = 0, lower(Body), replaceRegexpAll(lowerUTF8("
    r"replaceRegexpAll(Body, '\x1b\\[[0-?]*[ -/]*[@-~]', ' ')),"
    r" '([\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Thai}]|[^\\x00-\\x7f\\p{L}\\p{N}\\p{M}])', ' \\1 '))"
)
_EITHER: Final = "if(_words = '', lower(Body), _words)"
_IN_MESSAGE: Final = "position(lower(Body), '{word}') > 0"


@dataclass(frozen=True, slots=True)
class Way:
    """A table: its column and indexes beside the message, and the condition for a word and its tokens."""

    name: str
    extras: str
    condition: str

    def searching(self, word: str) -> str:
        """The condition for a word."""
        form = searched_form(word)
        return self.condition.format(typed=f"['{word}']", tokens=tokens_of(form), word=word, form=form)


def _by(tokenizer: str, *setting: object) -> Way:
    """An index on the message, by one of the engine's tokenizers, and a look at the message itself."""
    name = f"{tokenizer}({setting[0]!r})" if setting else tokenizer
    tokens = f"tokens('{{word}}', {', '.join(map(repr, [tokenizer, *setting]))})"
    index = f"INDEX words lower(Body) {_TYPE.format(name if setting else repr(name))}"
    return Way(f"tokenizer {name}", index, f"hasAllTokens(lower(Body), {tokens}) AND {_IN_MESSAGE}")


WAYS: Final = (
    Way(_BEFORE, _BODY_WORDS, "hasAllTokens(lower(Body), {typed})"),
    Way(
        _SHIPPED,
        f"_words String DEFAULT '' CODEC(ZSTD(1)), {_BODY_WORDS}, INDEX words _words {_SPLIT}",
        "((_words = '' AND hasAllTokens(lower(Body), {typed}))"
        " OR (hasAllTokens(_words, {tokens}) AND position(_words, '{form}') > 0))",
    ),
    Way(
        "such a column, and one index over it and the message",
        f"_words String DEFAULT '' CODEC(ZSTD(1)), INDEX words {_EITHER} {_SPLIT}",
        f"hasAllTokens({_EITHER}, {{tokens}}) AND (_words = '' OR position(_words, '{{form}}') > 0)",
    ),
    Way(
        "the form in the index's expression",
        f"INDEX words {_FORM} {_SPLIT}",
        f"hasAllTokens({_FORM.replace('{', '{{').replace('}', '}}')}, {{tokens}}) AND {_IN_MESSAGE}",
    ),
    _by("asciiCJK"),
    _by("icu", "zh"),
    _by("ngrams", 3),
)


@dataclass(frozen=True, slots=True)
class Logs:
    """Messages of one kind, and the words that are searched for: name and word."""

    name: str
    fill: Callable[[BenchStack, str, int], float]
    """Fills a table; returns the CPU seconds per million rows that making the forms took."""
    words: Mapping[str, str]


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.words", description="Compare ways of finding words.")
    parser.add_argument("--rows", type=positive, default=1_000_000, help="messages of each kind (default: 1 million)")
    parser.add_argument("--samples", type=positive, default=15, help="samples of each query (default: 15)")
    parser.add_argument(
        "--repetitions", type=positive, default=3, help="inserts, of which the median counts (default: 3)"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return run(partial(_measure, parser.parse_args(arguments)))


def _measure(options: argparse.Namespace) -> int:
    found = {}
    with running_stack() as stack:
        for number, logs in enumerate(_kinds()):
            print(f"{logs.name} ...", flush=True)
            found[logs.name] = _compare(stack, logs, f"source_{number}", options)
        command = ["bench.words", "--rows", options.rows, "--samples", options.samples]
        about = circumstances(stack, [*map(str, command), "--repetitions", str(options.repetitions)])
    about |= {"rows": options.rows}
    page = "\n".join(_page(about, found)) + "\n"
    print(page)
    for path in write_results(options.results, _NAME, page, {**about, "kinds": found}):
        print(f"Written: {path}")
    return 0


def _kinds() -> Sequence[Logs]:
    return (
        Logs("ASCII logs", _fill_ascii, {"rare word": "rareword", "common word": "request"}),
        Logs(
            "Logs of many scripts", _fill_scripts, {"rare word": "罕见词", "common word": "数据库", "Thai": "ฐานข้อมูล"}
        ),
    )


def _compare(stack: BenchStack, logs: Logs, source: str, options: argparse.Namespace) -> dict[str, Any]:
    stack.query(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    stack.query(f"CREATE TABLE {DATABASE}.{source} (Body String, _words String) ENGINE = MergeTree ORDER BY ()")
    forms_cpu = logs.fill(stack, source, options.rows)
    tables = {way.name: f"{source}_way_{number}" for number, way in enumerate(WAYS)}
    costs: dict[str, list[float]] = {name: [] for name in tables}
    for _ in range(options.repetitions):
        for way in WAYS:
            costs[way.name].append(_insert(stack, way, source, tables[way.name], options.rows))
    for table in tables.values():
        stack.query(f"OPTIMIZE TABLE {DATABASE}.{table} FINAL")
    stack.wait_until_idle()
    return {
        "forms_cpu": forms_cpu,
        "insert_cpu": {name: median(of_table) for name, of_table in costs.items()},
        "bytes_per_row": {name: stack.bytes_per_row(table)["everything"] for name, table in tables.items()},
        "millis": {kind: _time(stack, tables, word, options.samples) for kind, word in logs.words.items()},
        "found": {kind: _count(stack, tables, word) for kind, word in logs.words.items()},
    }


def _insert(stack: BenchStack, way: Way, source: str, table: str, rows: int) -> float:
    """Make the table anew and fill it; the engine's CPU seconds per million rows."""
    stack.query(f"DROP TABLE IF EXISTS {DATABASE}.{table} SYNC")
    stack.query(
        f"CREATE TABLE {DATABASE}.{table} (Body String CODEC(ZSTD(1)), {way.extras}) ENGINE = MergeTree ORDER BY ()"
        " SETTINGS index_granularity = 2048, min_compress_block_size = 32768, default_compression_codec = 'ZSTD(1)'"
    )
    stack.stop_merges(table)
    columns = "Body, _words" if "_words String" in way.extras else "Body"
    before = cpu_secs(stack.engine.pid)
    stack.query(
        f"INSERT INTO {DATABASE}.{table} ({columns}) SELECT {columns} FROM {DATABASE}.{source}"
        f" SETTINGS max_threads = 1, max_insert_threads = 1, max_block_size = {_BLOCK},"
        f" min_insert_block_size_rows = {_BLOCK}"
    )
    cost = (cpu_secs(stack.engine.pid) - before) / rows * 1e6
    stack.query(f"SYSTEM START MERGES {DATABASE}.{table}")
    return cost


def _time(stack: BenchStack, tables: Mapping[str, str], word: str, samples: int) -> dict[str, float]:
    """Search in each table in turn; the median in milliseconds."""
    millis: dict[str, list[float]] = {name: [] for name in tables}
    for _ in range(samples):
        for way in WAYS:
            search = partial(_search, stack, way, tables[way.name], word, "sum(length(Body))")
            millis[way.name].append(min(_millis(search), _millis(search)))
    return {name: median(values) for name, values in millis.items()}


def _millis(search: Callable[[], object]) -> float:
    began = time.perf_counter()
    search()
    return (time.perf_counter() - began) * 1000


def _count(stack: BenchStack, tables: Mapping[str, str], word: str) -> dict[str, int]:
    return {way.name: int(_search(stack, way, tables[way.name], word, "count()")) for way in WAYS}


def _search(stack: BenchStack, way: Way, table: str, word: str, what: str) -> str:
    where = f"WHERE {way.searching(word)} SETTINGS use_query_condition_cache = 0"
    return stack.query(f"SELECT {what} FROM {DATABASE}.{table} {where}")


def _fill_ascii(stack: BenchStack, source: str, rows: int) -> float:
    stack.create_table("history")
    load_history(stack, "history", rows)
    stack.query(
        f"INSERT INTO {DATABASE}.{source} (Body) SELECT"
        " if(rowNumberInAllBlocks() % 100000 = 0, concat('rareword ', Body), Body)"
        f" FROM {DATABASE}.history SETTINGS max_threads = 1"
    )
    messages = stack.query(f"SELECT Body FROM {DATABASE}.{source} LIMIT 100000").split("\n")
    return _cost_of_forms(pa.array(messages))


def _fill_scripts(stack: BenchStack, source: str, rows: int) -> float:
    client = connect(stack.clickhouse_settings(source), timeout_secs=60)
    cost = 0.0
    for first in range(0, rows, _BLOCK):
        messages = pa.array(list(_messages(first, min(rows, first + _BLOCK))))
        cost = _cost_of_forms(messages)
        block = pa.table({"Body": messages, "_words": searched_forms(messages)})
        client.insert_arrow(source, block, database=DATABASE)
    client.close()
    return cost


def _cost_of_forms(messages: pa.StringArray) -> float:
    before = time.process_time()
    searched_forms(messages)
    return (time.process_time() - before) / len(messages) * 1e6


def _messages(first: int, end: int) -> Iterator[str]:
    """Messages of many scripts, each a function of its number."""
    lines = [line for line in _BODIES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for number in range(first, end):
        rng = Random(number)
        message = rng.choice(lines).format(
            number=rng.randrange(100_000),
            ip=f"10.{rng.randrange(32)}.{rng.randrange(64)}.{rng.randrange(256)}",
            hex=f"{rng.getrandbits(48):012x}",
        )
        yield message if number % 100_000 else f"罕见词：{message}"


def _page(about: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "# Ways of finding words of any script"
    yield ""
    yield f"- Date: {about['date']}"
    yield f"- Command: `{about['command']}`"
    yield f"- {about['rows']:,} messages of each kind, in one part; {about['machine']['cores']} cores; engine"
    yield f"  {about['clickhouse']}. Tables with the message and what finds its words, and nothing else"
    yield "- CPU seconds of the engine per million rows inserted, without merges; milliseconds of a search that reads"
    yield "  the messages found (the faster of two, median, caches warm), and in parentheses how many those are"
    for name, kind in found.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield f"Making the forms takes the service {kind['forms_cpu']:.2f} CPU seconds per million rows."
        yield ""
        words = list(kind["millis"])
        heads = ("Words are found by", "Bytes per row", "Insert", *words)
        yield from as_table(heads, [_cells(way.name, kind, words) for way in WAYS])


def _cells(way: str, kind: Mapping[str, Any], words: Sequence[str]) -> tuple[str, ...]:
    times = (f"{kind['millis'][word][way]:.0f} ({kind['found'][word][way]:,})" for word in words)
    return (way, f"{kind['bytes_per_row'][way]:.1f}", f"{kind['insert_cpu'][way]:.2f}", *times)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
