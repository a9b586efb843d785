"""Elasticsearch's bulk requests, lines of JSON with an action and the document it is for; and single documents. Pure.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk. Documents go on as search results have
them, {"_index": ..., "_id": ..., "_source": ...}, a line each.
"""

import io
import secrets
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from app.receive.json_text import is_object, object_on_one_line
from app.receive.received import LINES, Piece, Problem, Received, TooLarge, Unreadable

MAX_ITEMS: Final = 50_000
"""Actions of one request: each takes memory until its result is sent. Clients send thousands at most."""

DEFAULT_INDEX: Final = "logs"
"""Of documents for which neither the request nor the action names one; their rows have none."""

STORED: Final = frozenset(("create", "index"))
_WITH_DOCUMENT: Final = frozenset(("create", "index", "update"))
_ACTIONS: Final = _WITH_DOCUMENT | {"delete"}
_ID_BYTES: Final = 12

_action = msgspec.json.Decoder(dict[str, Any]).decode


class Item(NamedTuple):
    """An action: its name, and the index and id of its document; the id is one of ours if the client gave none."""

    action: str
    index_name: str
    id: str


class Bulk(NamedTuple):
    """A bulk request: its actions in order, and the events; the number of an event is that of its action."""

    items: list[Item]
    received: Received


def read(body: bytes, index: str = "") -> Bulk:
    """The actions of a request, for documents of this index unless an action names another.

    Blank lines count for nothing. What is no document, and actions that store none, are problems of their events.

    Raises:
        Unreadable: there is no action, a line that should be one is none, or the last has no document.
        TooLarge: there are more than MAX_ITEMS.
    """
    lines = _Lines(body)
    items: list[Item] = []
    pieces: list[Piece] = []
    problems: list[Problem] = []
    own_id = secrets.token_urlsafe(_ID_BYTES)
    for line in lines:
        number = len(items)
        if number == MAX_ITEMS:
            raise TooLarge(f"A request may have at most {MAX_ITEMS:,} actions.")
        action, said = _read_action(line, lines.number)
        document = lines.document() if action in _WITH_DOCUMENT else b""
        of_index, of_id = str(said.get("_index") or index), said.get("_id")
        items.append(Item(action, of_index or DEFAULT_INDEX, f"{own_id}-{number}" if of_id is None else str(of_id)))
        if action not in STORED:
            problems.append(Problem(number, f"[{action}] is not supported: logs are only added"))
        elif not is_object(document):
            problems.append(Problem(number, "the document is not a JSON object"))
        else:
            pieces.append(Piece(number, _carrier(document, of_index, of_id)))
    if not items:
        raise Unreadable("request body is required")
    return Bulk(items, Received(LINES, pieces, problems))


def read_document(body: bytes, index: str, given_id: str | None) -> Bulk:
    """The document of a request for one, which may be written over several lines.

    Raises:
        Unreadable: it is not a JSON object.
    """
    document = object_on_one_line(body.strip())
    if document is None:
        raise Unreadable("the document is not a JSON object")
    item = Item("index", index, secrets.token_urlsafe(_ID_BYTES) if given_id is None else given_id)
    return Bulk([item], Received(LINES, [Piece(0, _carrier(document, index, given_id))]))


class _Lines:
    """Lines that are not blank, one after the other: a body may have millions."""

    def __init__(self, body: bytes) -> None:
        self._lines = iter(io.BytesIO(body))
        self.number = 0
        """That of the last line, from 1."""

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self.number += 1
            if text := line.strip():
                yield text

    def document(self) -> bytes:
        """The next one."""
        for text in self:
            return text
        raise Unreadable(f"The action in line [{self.number}] has no document behind it")


def _read_action(line: bytes, number: int) -> tuple[str, dict[str, Any]]:
    """The name of an action and what it says; other keys beside it, which some clients send, mean nothing."""
    try:
        found = _action(line)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"Malformed action/metadata line [{number}]: {error}") from error
    names = [name for name in found if name in _ACTIONS]
    said = found[names[0]] if len(names) == 1 else None
    if len(names) == 1 and (said is None or isinstance(said, dict)):
        return names[0], said or {}
    expected = "expected one of [create], [delete], [index], [update] with an object"
    raise Unreadable(f"Malformed action/metadata line [{number}], {expected}")


def _carrier(document: bytes, index: str, given_id: object) -> bytes:
    """A document with what is known of it; the document itself, if that is nothing."""
    known = {"_index": index} if index else {}
    if given_id is not None:
        known["_id"] = str(given_id)
    return b'%b,"_source":%b}' % (msgspec.json.encode(known)[:-1], document) if known else document
