"""What CyTube makes of the text somebody typed: cut, cleaned, escaped, linked, filtered. Pure."""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f]+")
_LINK: Final = re.compile(r"(\w+://(?:[^:/\[\]\s]+|\[[0-9a-f:]+\])(?::\d+)?(?:/[^/\s]*)*)", re.IGNORECASE)
_CLICKABLE: Final = frozenset({"http", "https", "ftp"})
_FILTERS: Final = (
    (re.compile(r"`(.+?)`"), r"<code>\1</code>"),
    (re.compile(r"\*(.+?)\*"), r"<strong>\1</strong>"),
    (re.compile(r"_(.+?)_"), r"<em>\1</em>"),
    (re.compile(r"~~(.+?)~~"), r"<s>\1</s>"),
    (re.compile(r"\[sp\](.*?)\[/sp\]", re.IGNORECASE), r'<span class="spoiler">\1</span>'),
)


def cut(text: str, units: int) -> str:
    """At most so many UTF-16 units, as JavaScript's substring; a halved or lone surrogate becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "replace")


def without_control(text: str) -> str:
    """Each run of ASCII control characters is one space."""
    return _CONTROL.sub(" ", text)


def escape(text: str) -> str:
    """What stays escaped on the wire: only the three."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_html(text: str) -> str:
    """The text as the other clients get it with the default filters on. Links are not filtered."""
    parts = _LINK.split(escape(text))
    return "".join(_anchor(part) if odd % 2 else _filtered(part) for odd, part in enumerate(parts))


def emote_source(name: str) -> str:
    """The regular expression (JavaScript, over escaped text) that CyTube sends for an emote's name."""
    escaped = re.sub(r"([\\.?+*$^|()\[\]{}])", r"\\\1", escape(name))
    return f"(^|\\s){escaped}(?!\\S)"


def _anchor(link: str) -> str:
    scheme = link.partition("://")[0].lower()
    href = f'href="{link}" ' if scheme in _CLICKABLE else ""
    return f'<a {href}target="_blank" rel="noopener noreferrer">{link}</a>'


def _filtered(text: str) -> str:
    for pattern, replacement in _FILTERS:
        text = pattern.sub(replacement, text)
    return text
