"""`++`: thanks to a person, or a vote for what is playing.

Thanked is a name, in any of these forms: `++amy`, `amy++`, `++amy++`, `@amy++`, `amy: ++`, `amy, ++`, `amy ++`,
`++ amy`; with quotation marks or emphasis around the name. Which words count as names:

1. A name known in the place (roster or lexicon): in every form.
2. A word that nobody here is called: only with the `++` attached, since the bridge may not have heard of an alias yet.
   It has 2 to 64 letters, digits, `-`, `_`, at least one letter, and stands free: `C/C++`, `x.y++`, `a=b++`, `c++11`
   thank nobody. The thanks count when somebody is (or was, or becomes) called so, and are nobody's until then.
3. What is really written so - one letter (`C++`, `i++`, `g++`) and a short list (`notepad++`, `libstdc++`) - is a
   person only if it is a known name and cannot be read otherwise: `++c`, `@c++`, `c: ++`.
4. `movie`, `film`, `vid`, `video` are votes and never people: up with `++` in any form, down with `--` attached.
   A message that says both votes for neither.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from .markup import HIDDEN, JOINT
from .names import LONGEST_NAME, Known

PLAYING: Final = frozenset({"movie", "film", "vid", "video"})
NOT_PEOPLE: Final = frozenset(
    {"notepad", "libc", "libstdc", "clang", "vc", "msvc", "visual-c", "turbo-c", "dev-c", "objective-c", "obj-c"}
)

_PIECE = re.compile(r'[^\s,;!?()\[\]{}"“”„«»…—–、。，！？；：（）「」『』\u2190-\u2bff\U0001f000-\U0001faff]+')
_DOWN = re.compile(r"(?<![\w.:/-])[*_~]{0,2}(?:movie|film|vid|video)[*_~]{0,2}--(?![\w>-])")
_NAME = re.compile(r"(?=[\d_-]*[^\W\d_])[\w-]{2,64}")
_EDGES: Final = f"'‘*~|<>.`{JOINT}"
_LONGEST_PIECE: Final = LONGEST_NAME + 32


class Said(NamedTuple):
    """What the pluses and minuses of a message say."""

    thanked: list[str]
    vote: int


class _Piece(NamedTuple):
    """A word without its pluses."""

    name: str
    attached: bool
    """It has a `++` of its own."""
    addressed: bool
    """It cannot be read as anything but a name: `++c`, `@c`, `c:`."""


def read(text: str, known: Known) -> Said:
    """Who is thanked with `++` in this casefolded text, in order, and the vote in it."""
    thanked: dict[str, None] = {}
    up = False
    pieces = [piece for word in _PIECE.findall(text) if any(piece := _piece(word))] if "++" in text else []
    for index, piece in enumerate(pieces):
        name = _thanked(pieces, index, piece, known)
        if name in PLAYING:
            up = True
        elif name:
            thanked[name] = None
    down = "--" in text and _DOWN.search(text) is not None
    return Said(list(thanked), up - down)


def _piece(word: str) -> _Piece:
    if len(word) > _LONGEST_PIECE:
        return _Piece(HIDDEN, attached=False, addressed=False)
    word = word.strip(_EDGES)
    if word.endswith(":") and word.rstrip(":").endswith("+"):
        word = word.rstrip(":")
    if word[:1] == word[-1:] == "_":
        word = word.strip("_")
    front = word.startswith("++")
    body = word.strip("+").strip(_EDGES)
    name = body.lstrip("@").rstrip(":").strip(_EDGES)
    return _Piece(name, front or word.endswith("++"), front or body[:1] == "@" or body[-1:] == ":")


def _thanked(pieces: list[_Piece], index: int, piece: _Piece, known: Known) -> str:
    if not piece.attached:
        return ""
    if piece.name:
        return _attached(piece, known)
    before = pieces[index - 1] if index else None
    after = pieces[index + 1] if index + 1 < len(pieces) else None
    name = _beside(before, known) if before else ""
    if not name and after:
        name = _beside(after._replace(addressed=True), known)
    return name


def _attached(piece: _Piece, known: Known) -> str:
    bare = piece.name.strip("_-")
    if bare in PLAYING:
        return bare
    name = known.find(piece.name.removesuffix("'s"))
    if name:
        return name if piece.addressed or not _ambiguous(name) else ""
    return bare if _NAME.fullmatch(bare) and not _ambiguous(bare) else ""


def _beside(piece: _Piece, known: Known) -> str:
    """The name for whom a `++` that stands alone is meant, if this neighbour is one."""
    if piece.attached:
        return ""
    if piece.name in PLAYING:
        return piece.name
    name = known.find(piece.name)
    return name if name and (piece.addressed or not _ambiguous(name)) else ""


def _ambiguous(name: str) -> bool:
    return name in NOT_PEOPLE or (len(name) == 1 and name.isascii())
