"""What strangers wrote, made harmless and measured: a name cannot command a terminal, reorder a line or break a layout.

Used wherever names, titles or phrases are shown as text (guarantee G22).
"""

from __future__ import annotations

import unicodedata
from typing import Final

REPLACEMENT: Final = "\ufffd"
"""Stands for what must not be shown: control characters, lone surrogates, characters that do not exist."""

_MOST_MARKS: Final = 3
"""Combining marks on one character; more of them climb into the lines above."""
_SPACES: Final = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85")
_INVISIBLE: Final = frozenset(
    (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10),
     *range(0xE0100, 0xE01F0))
)  # fmt: skip
"""Characters without a picture that Unicode does not file under Cf."""
_MARKS: Final = frozenset(("Mn", "Me"))


class _Harmless(dict[int, str]):
    """For `str.translate`: what is shown in place of each character. Filled as characters are met."""

    def __missing__(self, code: int) -> str:
        self[code] = _harmless(chr(code))
        return self[code]


class _Escaped(dict[int, str]):
    """For `str.translate`: characters that are not harmless as the escapes of JSON and of our own notation."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = character if _harmless(character) == character else _escape(code)
        return self[code]


def _harmless(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _SPACES or kind[0] == "Z":
        return " "
    if kind in {"Cc", "Cs", "Cn"}:
        return REPLACEMENT
    return "" if kind == "Cf" or ord(character) in _INVISIBLE else character


def _escape(code: int) -> str:
    raw = chr(code).encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{raw[start : start + 4]}" for start in range(0, len(raw), 4))


_HARMLESS: Final = _Harmless()
_ESCAPED: Final = _Escaped({ord("\n"): "\n"})


def clean(text: str) -> str:
    """The text as one line that shows what it says: no control, bidi or zero-width characters, no towers of marks.

    A text that would then be blank is shown as escapes, so that it can be told from an empty one.
    """
    if text.isascii() and text.isprintable():
        return text if text.strip() or not text else _blank(text)
    shown = _few_marks(text.translate(_HARMLESS))
    return shown if shown.strip() else _blank(text)


def json_escaped(document: str) -> str:
    """A JSON document that reads the same, in which nothing but plain text is left unescaped."""
    return document if document.isascii() else document.translate(_ESCAPED)


def width(text: str) -> int:
    """Cells of a terminal that a clean text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def cut(text: str, cells: int, mark: str = "…") -> str:
    """A clean text in at most so many cells; where something is missing stands the mark."""
    if width(text) <= cells:
        return text
    room = cells - width(mark)
    if room < 0:
        return ""
    used, kept = 0, []
    for character in text:
        used += _cells(character)
        if used > room:
            break
        kept.append(character)
    return "".join(kept) + mark


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """A clean text filled up with blanks to so many cells; `right`: blanks first."""
    blanks = " " * (cells - width(text))
    return blanks + text if right else text + blanks


def _cells(character: str) -> int:
    if unicodedata.category(character) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _few_marks(text: str) -> str:
    """Without more marks on a character than writing needs, and with something to carry each."""
    kept: list[str] = []
    marks = 0
    for character in text:
        if unicodedata.category(character) not in _MARKS:
            marks = 0
        elif not kept or (not marks and kept[-1] == " "):
            kept.append("◌")
            marks = 1
        else:
            marks += 1
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _blank(text: str) -> str:
    return "".join(_escape(ord(character)) for character in text[:4])
