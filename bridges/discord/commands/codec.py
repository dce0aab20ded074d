"""A whole query inside the ids of buttons, so that a button answers after a restart, wherever it was made.

Discord allows 100 characters in an id. A query that does not fit into one is divided among the ids of the five buttons
of its message; each press brings all of them along. An id says nothing that the person who presses it may not say
themselves: what they may ask is decided anew when it is pressed.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from userstats.contract.questions import Listed, Parameter

from .command_set import FORMATS
from .query import WHERE, Query
from .questions import Questions

LONGEST: Final = 100
LAST: Final = 10**6
"""A page beyond any last one."""
ACTIONS: Final[Mapping[str, str]] = {"f": "first", "p": "previous", "n": "next", "l": "last", "r": "refresh"}
"""By the letter an id begins with; in upper case where the id holds a part of a query only."""
GO, FORM = "g", "m"
"""A button that asks a query as it is, and a form that asks for what is missing."""

_PLAIN, _DENSE = b"\x00", b"\x01"
_MOST_INFLATED: Final = 16_384
_INT64: Final = 2**63
_DIGITS: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_DICTIONARY: Final = (
    b"yearmonthweekdayhour-11-01T00:00..cytube:cytu.be/discord:everywhereAmerica/Asia/Europe/London30d7d24hall2026-me"
)
"""Words that queries often hold; changing them makes earlier buttons unreadable."""
_PRIVATE: Final[tuple[bool | None, ...]] = (None, False, True)


class Pressed(NamedTuple):
    """What an id says."""

    action: str
    """A letter of ACTIONS, GO or FORM."""
    query: Query


def single(action: str, query: Query, questions: Questions) -> str | None:
    """One id with the whole query; None where it is too long."""
    text = _text(query, questions)
    return action + text if text is not None and len(text) < LONGEST else None


def several(query: Query, questions: Questions) -> dict[str, str] | None:
    """An id for each of ACTIONS; None where even all together are too short."""
    text = _text(query, questions)
    if text is None or len(text) > (LONGEST - 1) * len(ACTIONS):
        return None
    if len(text) < LONGEST:
        return {letter: letter + text for letter in ACTIONS}
    size = -(-len(text) // len(ACTIONS))
    return {letter: letter.upper() + text[at * size : (at + 1) * size] for at, letter in enumerate(ACTIONS)}


def read(custom_id: str, others: Iterable[str], questions: Questions) -> Pressed | None:
    """What was pressed; `others` are the ids of all buttons of the message, in order. None: it cannot be read any more,
    because it is another version's, or because questions have changed."""
    action, text = custom_id[:1].lower(), custom_id[1:]
    if action not in {*ACTIONS, GO, FORM}:
        return None
    if custom_id[:1].isupper():
        text = "".join(other[1:] for other in others if other[:1].isupper() and other[:1].lower() in ACTIONS)
    try:
        query = _query(base64.b85decode(text), questions)
    except (ValueError, TypeError, LookupError, zlib.error, msgspec.MsgspecError):
        return None
    return None if query is None else Pressed(action, query)


def _text(query: Query, questions: Questions) -> str | None:
    asked = questions.get(query.question)
    if asked is None:
        return None
    bits = FORMATS.index(query.form) * len(_PRIVATE) + _PRIVATE.index(query.private)
    flat: list[Any] = [query.page, int(query.invoker), bits]
    order = _order(asked)
    for name, value in query.arguments.items():
        flat += [order.index(name), _shrunk(value, _parameter(asked, name))]
    try:
        packed = msgspec.msgpack.encode(flat)
    except (OverflowError, UnicodeEncodeError):
        return None
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=_DICTIONARY)
    dense = deflate.compress(packed) + deflate.flush()
    body = _DENSE + dense if len(dense) < len(packed) else _PLAIN + packed
    return base64.b85encode(_fingerprint(asked) + body).decode()


def _query(data: bytes, questions: Questions) -> Query | None:
    asked = next((one for one in questions if _fingerprint(one) == data[:4]), None)
    if asked is None:
        return None
    body = data[5:]
    if data[4:5] == _DENSE:
        body = zlib.decompressobj(-15, zdict=_DICTIONARY).decompress(body, _MOST_INFLATED)
    page, invoker, bits, *flat = msgspec.msgpack.decode(body, type=list)
    order = _order(asked)
    said = {
        order[index]: _grown(value, _parameter(asked, order[index]))
        for index, value in zip(flat[::2], flat[1::2], strict=True)
    }
    if not isinstance(page, int) or not 0 <= page <= LAST:
        return None
    form, private = divmod(bits, len(_PRIVATE))
    return Query(asked.question, said, str(int(invoker)), page, _PRIVATE[private], FORMATS[form])


def _order(asked: Listed) -> Sequence[str]:
    return [*sorted(one.name for one in asked.parameters), WHERE]


def _parameter(asked: Listed, name: str) -> Parameter:
    return next((one for one in asked.parameters if one.name == name), Parameter(name=name))


def _fingerprint(asked: Listed) -> bytes:
    """Of a question with the parameters it has: what was packed for others is not read."""
    known = [asked.question, *([one, *_parameter(asked, one).choices] for one in _order(asked))]
    return hashlib.blake2b(msgspec.json.encode(known), digest_size=4).digest()


def _shrunk(value: Any, what: Parameter) -> Any:
    """Choices as their number, texts of digits (ids) as integers."""
    if what.kind != "string" or not isinstance(value, str):
        return value
    if what.choices:
        return what.choices.index(value)
    if not _DIGITS.fullmatch(value) or int(value) >= _INT64:
        return value
    return int(value)


def _grown(value: Any, what: Parameter) -> Any:
    if what.kind == "string" and isinstance(value, int) and not isinstance(value, bool):
        return what.choices[value] if what.choices else str(value)
    return value
