"""docs/reference/configuration.md: every setting, from the structs that read config.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from scripts.configuration import attribute_texts, readers
from scripts.reference_words import code, default, fields, page, paragraph, said, structs_in, table, type_of

_LISTS: Final = frozenset(("channels",))
_OPENING: Final = """
`config.json` is an object with these sections. All of them may be left out; so may every setting that has a default.
`config.example.json` holds all defaults, `config.schema.json` lets editors complete and check. What is in force, and
where it comes from: `python query_cli.py config show --effective`. What is wrong: `python query_cli.py config check`.

Relative paths begin at the folder of `config.json`. Texts may hold variables, also several and between other text:

| Written | Means |
|---|---|
| `${VAR}` | the environment variable; where it is not set, the setting counts as left out |
| `${VAR:-text}` | the variable, or this text |
| `${VAR:?message}` | the variable, or the start fails with this message |
| `${file:/run/secrets/x}` | the content of a file, without the line break at its end |
| `$${` | `${` |

Keys that begin with `//` are comments. Any other unknown key is an error that names its path and what was probably
meant.
"""


def text() -> str:
    """The page."""
    told: set[type[msgspec.Struct]] = set()
    sections = [_section(name, kinds[0], told) for name, kinds in readers().items()]
    return page("Configuration", _OPENING, *sections)


def _section(name: str, kind: type[msgspec.Struct], told: set[type[msgspec.Struct]]) -> str:
    """A section, and the structs in it that are not `told` yet."""
    about = paragraph(kind.__doc__)
    if name in _LISTS:
        about = f"A list. {about}"
    parts = [f"## {code(name)}", about, _settings(kind)]
    for further in dict.fromkeys(_further(kind)):
        if further not in told:
            parts += [f"### {code(further.__name__)}", paragraph(further.__doc__), _settings(further)]
            told.add(further)
    return "\n\n".join(parts)


def _further(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for field in fields(kind).values():
        yield from structs_in(type_of(field))


def _settings(kind: type[msgspec.Struct]) -> str:
    texts = attribute_texts(kind)
    return table(
        ("Setting", "Value", "Default", "Meaning"),
        (
            (code(name), said(type_of(field)), default(field) or "required", texts.get(field.name, ""))
            for name, field in fields(kind).items()
        ),
    )
