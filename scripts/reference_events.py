"""docs/reference/events.md: every fact that may travel, from the structs of the contract."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from pathlib import Path
from typing import Final

import msgspec

from scripts.configuration import attribute_texts
from scripts.reference_words import code, default, fields, page, paragraph, said, table, texts_below
from userstats.contract import events, fact, imported, wire
from userstats.contract.events import KINDS, Event

_OPENING: Final = f"""
Bridges publish these facts to the stream `CHAT`, one subject for each place and kind:
`chat.v1.event.<platform>.<space>.<channel>.<kind>`. Letters, digits, `-` and `_` stand for themselves in a subject,
every other byte is `=` and two hexadecimal digits, and what is absent is `=`. `userstats/contract/schemas/` has a JSON
Schema for each kind, generated from the same structs.

No field can hold what somebody wrote. No kind but `Named` holds a name of a person. An event has at most
{wire.LARGEST:,} bytes. Fields that have their default are left out. Unknown fields are ignored; an unknown kind or
version is a dead letter.
"""
_SEALED: Final = """
`v`, `producer`, `n` and `crc` are put on when the event is published: the version of this contract, the outbox it comes
from, its row there counted from 1 without gaps, and the CRC-32 of all that stands before `crc`. The header
`Nats-Msg-Id` is `<producer>:<n>`.
"""


def text() -> str:
    """The page."""
    envelope = f"## What every event says\n\n{_fields(Event, ())}\n\n{_SEALED.strip()}"
    return page("Events", _OPENING, envelope, *(_kind(name) for name in KINDS), _words(), *_parts())


def _kind(name: str) -> str:
    kind = KINDS[name]
    own = _fields(kind, tuple(fields(Event)))
    return f"## {code(name)}\n\n{paragraph(kind.__doc__)}\n\n{own}"


def _parts() -> list[str]:
    """The structs in fields of events."""
    some = (fact.Place, events.Thanks, events.Present, imported.Times, imported.Headcount, imported.TableTaken)
    return [f"### {code(kind.__name__)}\n\n{paragraph(kind.__doc__)}\n\n{_fields(kind, ())}" for kind in some]


def _fields(kind: type[msgspec.Struct], without: tuple[str, ...]) -> str:
    written, texts = _annotations(kind), _texts(kind)
    rows = [
        (code(name), written[field.name], default(field) or "required", texts.get(field.name, ""))
        for name, field in fields(kind).items()
        if name not in without
    ]
    return table(("Field", "Type", "Default", "Meaning"), rows) if rows else "Nothing more."


def _texts(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The texts below the fields, those of the structs it extends included."""
    bases = [one for one in reversed(kind.__mro__) if one.__module__.startswith("userstats.")]
    return {name: text for one in bases for name, text in attribute_texts(one).items()}


def _annotations(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The types of the fields as the source says them, in words."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if one.__module__.startswith("userstats."):
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
            body = tree.body if isinstance(tree, ast.ClassDef) else ()
            found |= {
                node.target.id: _written(node.annotation)
                for node in body
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
            }
    return found


def _written(node: ast.expr) -> str:
    """One annotation in words: `Person` or `null`; list of `EmoteName`, at most 200."""
    match node:
        case ast.BinOp(left=left, right=ast.Constant(value=None)):
            words = f"{_written(left)} or `null`"
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[kind, *limits])):
            words = ", ".join([_written(kind), *(_limits(limit) for limit in limits)])
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[item, ast.Constant()])):
            words = f"list of {_written(item)}"
        case ast.Subscript(value=ast.Name(id="Literal"), slice=value):
            values = value.elts if isinstance(value, ast.Tuple) else [value]
            words = " or ".join(code(json.dumps(ast.literal_eval(one))) for one in values)
        case ast.Name(id=name) if name in _PLAIN:
            words = _PLAIN[name]
        case _:
            words = code(ast.unparse(node))
    return words


_PLAIN: Final = {"int": "whole number", "str": "text", "bool": "`true` or `false`"}
_LIMITS: Final = {
    "ge": "from", "le": "up to", "min_length": "at least", "max_length": "at most", "pattern": "like",
}  # fmt: skip


def _limits(node: ast.expr) -> str:
    keywords = node.keywords if isinstance(node, ast.Call) else []
    return ", ".join(f"{_LIMITS[str(one.arg)]} {_value(one.value)}" for one in keywords)


def _value(node: ast.expr) -> object:
    """A limit as the source says it; where it has a name, what is behind that."""
    return getattr(fact, node.id) if isinstance(node, ast.Name) else ast.unparse(node)


def _words() -> str:
    """The names of types, from the modules that give them."""
    rows = []
    for module in (fact, imported):
        for name, (value, below) in texts_below(Path(str(module.__file__))).items():
            annotated = isinstance(value, ast.Subscript) and ast.unparse(value.value) in ("Annotated", "Literal")
            if annotated or (isinstance(value, ast.Name) and value.id in vars(fact)):
                kind = msgspec.inspect.type_info(getattr(module, name))
                rows.append((code(name), said(kind), below))
    return f"## Words in these tables\n\n{table(('Type', 'Values', 'Meaning'), rows)}"
