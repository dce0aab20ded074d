"""Text that Discord shows as it is: no name mentions anybody, becomes a link or changes how the rest looks (G22)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from userstats.surfaces.clean import clean, cut

LONGEST_CONTENT: Final = 2000
_SPECIAL: Final = frozenset("\\`*_~|<>#[]")
_TICK: Final = "ˋ"


class Unclear(Exception):
    """What was typed cannot be asked. The sentence says why, to whoever typed it, and is plain text for Discord."""


def plain(text: str) -> str:
    """Anything that strangers may have written, as part of a message."""
    escaped = "".join(f"\\{one}" if one in _SPECIAL else one for one in clean(text))
    return escaped.replace("://", ":\\//").replace("@", "@\u200b")


def quoted(text: object, cells: int = 60) -> str:
    """A word or name inside a sentence."""
    return f"`{verbatim(cut(clean(str(text)), cells))}`"


def verbatim(line: str) -> str:
    """A clean line inside a code block or between backticks, which it cannot end."""
    return line.replace("`", _TICK)


def sentence(text: str) -> str:
    """As a whole message: it begins with a capital letter, if with a word, and ends with a full stop."""
    text = shortened(text.strip(), LONGEST_CONTENT - 2)
    closed = text if text.endswith((".", "!", "?", "…")) else f"{text}."
    return closed[:1].upper() + closed[1:] if closed.partition(" ")[0].rstrip(",.;!?").isalpha() else closed


def shortened(text: str, most: int) -> str:
    """At most so many characters, counted as Discord's client counts them."""
    if units(text) <= most:
        return text
    kept = text.encode("utf-16-le")[: (most - 1) * 2].decode("utf-16-le", "ignore")
    return f"{kept}…"


def units(text: str) -> int:
    """How many characters a text has to those who count the most: UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def all_of(names: Iterable[object], most: int = 12) -> str:
    """`a`, `b` and `c`."""
    shown = [quoted(name) for name in names]
    if len(shown) > most:
        return f"{', '.join(shown[:most])} and {len(shown) - most} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)
