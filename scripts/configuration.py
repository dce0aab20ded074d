"""Every section of config.json with the structs it is read as, and what follows from them: config.example.json with all
defaults, and config.schema.json for editors.

Usage: python -m scripts.configuration [--check]
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from userstats import catalogue, settings
from userstats.contract.config import SECTIONS

ROOT: Final = Path(__file__).resolve().parents[1]
EXAMPLE: Final = ROOT / "config.example.json"
SCHEMA: Final = ROOT / "config.schema.json"

_OF_BRIDGES: Final = {
    "bridge": "bridges.settings:BridgeSettings",
    "pseudonyms": "userstats.contract.process:PseudonymSettings",
    "log": "userstats.contract.process:LogSettings",
    "channels": "bridges.cytube_room:Channel",
    "cytube": "bridges.cytube:Cytube",
    "discord": "bridges.discord:Discord",
    "demo": "bridges.demo:Settings",
}
"""What only bridges read."""
_LISTS: Final = frozenset(("channels",))
_VARIABLE: Final = {"type": "string", "pattern": r"\$\{[^}]+\}"}
_COMMENTED: Final[Mapping[str, Any]] = {
    "channels": [
        {"domain": "cytu.be", "channel": "420grindhouse"},
        {"domain": "cytu.be", "channel": "another_room", "password": "${ROOM_PASSWORD}", "bots": ["OtherBot"]},
    ],
    "nats": {"servers": ["nats://localhost:4222"], "user": "${NATS_USER}", "password": "${NATS_PASSWORD}"},
}
"""Examples of sections whose default says little."""
_OPENING: Final = (
    "Every setting with its default; copy to config.json and keep what you change. Texts may hold ${VAR}, "
    "${VAR:-default}, ${VAR:?message} and ${file:/run/secrets/x}; keys that begin with // are ignored."
)


def readers() -> dict[str, tuple[type[msgspec.Struct], ...]]:
    """The structs that each section is read as, by section; for a list of structs the struct of its items."""
    found: dict[str, list[type[msgspec.Struct]]] = {}
    for field in msgspec.structs.fields(settings.Settings):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found.setdefault(field.name, []).append(field.type)
    for room in catalogue.read().rooms:
        if room.settings:
            found.setdefault(room.settings.name, []).append(room.settings.kind)
    for section, where in _OF_BRIDGES.items():
        module, _, name = where.partition(":")
        found.setdefault(section, []).append(getattr(importlib.import_module(module), name))
    return {section: tuple(dict.fromkeys(found[section])) for section in SECTIONS if section in found}


def decoded_as(section: str, kind: type[msgspec.Struct]) -> Any:
    """The type of the whole section."""
    return list[kind] if section in _LISTS else kind  # type: ignore[valid-type]


def default(section: str, kind: type[msgspec.Struct]) -> Any:
    """What an absent section means, as JSON."""
    return [] if section in _LISTS else msgspec.to_builtins(kind())


def generate() -> dict[Path, str]:
    """The generated files and their texts."""
    return {EXAMPLE: _text(example()), SCHEMA: _text(schema())}


def example() -> dict[str, Any]:
    """config.example.json: what an empty config.json means."""
    document: dict[str, Any] = {"$schema": f"./{SCHEMA.name}", "//": _OPENING}
    for section, kinds in readers().items():
        if section in _COMMENTED:
            document[f"// {section}, for example"] = _COMMENTED[section]
        value = default(section, kinds[0])
        document[section] = value if section in _LISTS else {"//": _sentence(kinds[0]), **value}
    return document


def schema() -> dict[str, Any]:
    """config.schema.json (draft 2020-12): what editors complete and check, with the texts of the structs."""
    kinds = {section: found[0] for section, found in readers().items()}
    references, definitions = msgspec.json.schema_components(
        [decoded_as(section, kind) for section, kind in kinds.items()], ref_template="#/$defs/{name}"
    )
    for kind in _structs(tuple(kinds.values())):
        name = next(key for key in (kind.__name__, f"{kind.__module__}.{kind.__name__}") if key in definitions)
        _explain(definitions[name], kind)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "config.json",
        "type": "object",
        "properties": {"$schema": {"type": "string"}, **dict(zip(kinds, references, strict=True))},
        **_CLOSED,
        "$defs": definitions,
    }


_CLOSED: Final[Mapping[str, Any]] = {"patternProperties": {"^//": {}}, "additionalProperties": False}


def _explain(definition: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    """Add to a struct's schema what its source says about each field, and let texts be variables."""
    texts = attribute_texts(kind)
    for name, own in definition["properties"].items():
        if texts.get(name):
            own["description"] = texts[name]
        if "enum" in own or (own.get("type") == "string" and len(own.keys() - {"type", "default", "description"})):
            outer = {key: own.pop(key) for key in ("default", "description") if key in own}
            limits = dict(own)
            own.clear()
            own.update({"anyOf": [limits, _VARIABLE], **outer})
    definition.update({"description": inspect.getdoc(kind) or kind.__name__, **_CLOSED})


def attribute_texts(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The strings that stand below the attributes of a struct in its source, each as one line."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    texts: dict[str, str] = {}
    name = ""
    for node in tree.body if isinstance(tree, ast.ClassDef) else ():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
        elif name and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            texts[name] = " ".join(str(node.value.value).split())
            name = ""
        else:
            name = ""
    return texts


def _structs(kinds: Any) -> Iterator[type[msgspec.Struct]]:
    """These structs, and those in their fields."""
    seen: set[Any] = set()
    todo = list(kinds)
    while todo:
        kind = todo.pop()
        if kind in seen:
            continue
        seen.add(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield kind
            todo += [field.type for field in msgspec.structs.fields(kind)]
        todo += [one for one in getattr(kind, "__args__", ()) if one is not ...]


def _sentence(kind: type[msgspec.Struct]) -> str:
    """What a struct says about itself, up to its first blank line."""
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(words: list[str]) -> int:
    """Write the files; with --check say which are stale, exit code 1 if one is."""
    stale = [path for path, text in generate().items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        print(f"{'stale' if '--check' in words else 'written'}: {path.name}")
        if "--check" not in words:
            path.write_text(generate()[path], encoding="utf-8", newline="\n")
    return 1 if "--check" in words and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
