"""What the platform calls the places that an answer names by id (a guild, its channels), beside the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from .store.seam import Reader

_FIELDS: Final = frozenset({"domain", "channel", "domains"})
_NAMES: Final = """
SELECT space, channel, name, folded FROM places WHERE name <> '' AND folded IS NOT NULL AND folded <> channel
"""


async def place_names(reader: Reader, data: Any) -> dict[str, str]:
    """The names of spaces and channels in an answer, by id; empty where ids are names already (CyTube)."""
    rows = await reader.rows(_NAMES)
    names = {channel or space: name for space, channel, name, folded in rows if channel or folded != space}
    if not names:
        return {}
    return {one: names[one] for one in dict.fromkeys(_named(data)) if one in names}


def _named(data: Any) -> Iterator[str]:
    """Every id of a place in structs and lists of structs."""
    if isinstance(data, (list, tuple)):
        for item in data:
            yield from _named(item)
    elif isinstance(data, msgspec.Struct):
        for field in data.__struct_fields__:
            value = getattr(data, field)
            if isinstance(value, str):
                if field in _FIELDS:
                    yield value
            elif field in _FIELDS and isinstance(value, (list, tuple)):
                yield from (one for one in value if isinstance(one, str))
            else:
                yield from _named(value)
