"""Types, structs and tables in the words of docs/reference: what the generators of those pages share."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect as kinds

NOTICE: Final = "<!-- Written by scripts/docs.py from the code. Change the code, then run `python scripts/docs.py`. -->"


def page(title: str, *parts: str) -> str:
    """A whole page of Markdown."""
    return "\n\n".join((NOTICE, f"# {title}", *(part.strip() for part in parts if part.strip()))) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Text as it is written in code."""
    return f"`{text}`"


def paragraph(text: str | None) -> str:
    """A docstring with its line breaks between words undone, paragraphs kept."""
    parts = inspect.cleandoc(text or "").split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts)


def default(field: msgspec.structs.FieldInfo) -> str:
    """What a field is when nobody says; empty where somebody must."""
    if field.required:
        return ""
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return code(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))


def said(kind: kinds.Type) -> str:
    """What values a type has, in words."""
    match kind:
        case kinds.IntType() | kinds.FloatType():
            words = " ".join(["whole number" if isinstance(kind, kinds.IntType) else "number", *_range(kind)])
        case kinds.StrType():
            words = _text(kind)
        case kinds.BoolType():
            words = "`true` or `false`"
        case kinds.LiteralType():
            words = " or ".join(code(json.dumps(value)) for value in kind.values)
        case kinds.VarTupleType() | kinds.ListType():
            words = f"list: {said(kind.item_type)}"
        case kinds.DictType():
            words = f"object: {said(kind.value_type)} by {said(kind.key_type)}"
        case kinds.StructType():
            words = f"object, see {code(kind.cls.__name__)}"
        case kinds.UnionType():
            words = " or ".join(said(one) for one in kind.types)
        case kinds.NoneType():
            words = "`null`"
        case kinds.Metadata():  # with a description
            words = said(kind.type)
        case _:
            raise TypeError(f"there are no words for {kind!r}")
    return words


def _range(kind: kinds.IntType | kinds.FloatType) -> Iterator[str]:
    if kind.ge is not None:
        yield f"from {kind.ge}"
    if kind.gt is not None:
        yield f"above {kind.gt}"
    if kind.le is not None:
        yield f"up to {kind.le}"


def _text(kind: kinds.StrType) -> str:
    if kind.pattern:
        return f"text like {code(kind.pattern)}"
    if kind.max_length is None:
        return "text"
    least = f"{kind.min_length} to " if kind.min_length else "at most "
    return f"text of {least}{kind.max_length} characters"


def structs_in(kind: kinds.Type) -> Iterator[type[msgspec.Struct]]:
    """The structs that a type holds."""
    match kind:
        case kinds.StructType():
            yield kind.cls
        case kinds.DictType():
            yield from structs_in(kind.value_type)
        case kinds.VarTupleType() | kinds.ListType():
            yield from structs_in(kind.item_type)
        case kinds.UnionType():
            for one in kind.types:
                yield from structs_in(one)


def texts_below(file: Path) -> dict[str, tuple[ast.expr, str]]:
    """The values that a module gives names to, with the string that stands below each, by name."""
    found: dict[str, tuple[ast.expr, str]] = {}
    name = ""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        target: ast.expr | None = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.Assign):
            target = node.targets[0]
        if isinstance(target, ast.Name) and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
            name = target.id
            found[name] = (node.value, "")
        elif name and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[name] = (found[name][0], " ".join(str(node.value.value).split()))
            name = ""
        else:
            name = ""
    return found


def fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields of a struct by their names in JSON."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def type_of(field: msgspec.structs.FieldInfo) -> kinds.Type:
    """A field's type, ready to be told."""
    kind: Any = field.type
    return kinds.type_info(kind)
