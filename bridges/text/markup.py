"""From what a platform delivers to what was typed, and which parts of it are the speaker's own plain words.

CyTube delivers HTML in which its default filters have turned `_x_ *x* ~~x~~` and code spans into tags, so that
`snake_case_name` arrives as `snake<em>case</em>name`. Here those tags become their characters again: what is counted
and searched is the text as it was typed. Tags are found with one linear pattern instead of `html.parser`, which is
quadratic on some broken input and several times slower; CyTube escapes `<` and `>` everywhere else, also in attributes.
"""

from __future__ import annotations

import html as entities
import re
from typing import Final, NamedTuple

PARSED: Final = 64 * 1024
"""Code points of HTML whose tags are understood; after them tags are only removed."""

HIDDEN: Final = "\ufffc"
"""Stands for a link, a span of code or a quotation: it is no blank and belongs to no name, phrase or emote."""
JOINT: Final = "\u2060"
"""Stands for a tag that nobody typed: not a blank, so `<b>:emote:</b>` stays as unrecognised as it is in the room."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)[^<>]*+>|<[!/?][^<>]*+>")
_MARKS: Final = {"em": "_", "strong": "*", "s": "~~", "code": "`"}
_BLOCKS: Final = frozenset(
    {"blockquote", "br", "center", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li",
     "ol", "p", "pre", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)  # fmt: skip
_HUGE = re.compile(r"&#\d{9,};?")
_NOT_SPEECH = re.compile(r"(`{1,3})[^`]+\1|(\w{1,20}://\S+)|\bwww\.\S+")
_QUOTED = re.compile(r'("[^"]*"|“[^“”]*”|„[^„“”]*[“”]|«[^«»]*»)|^[ \t]{0,3}>+[ \t].*$', re.MULTILINE)


class Typed(NamedTuple):
    """A message as it was typed."""

    whole: str
    speech: str
    """The same without its links and code: each is one `HIDDEN`."""
    links: int


def typed(html: str) -> Typed:
    """What was typed to make CyTube send this HTML. Entities are undone exactly once; nothing is raised.

    Spoiler tags and the tags of a channel's own filters leave nothing behind, since what was typed for them is not
    known; `<br>`, `<img>` and blocks become a line break.
    """
    if "<" not in html:
        text = _unescape(html)
        return Typed(text, text, 0)
    walk = _Walk()
    at = 0
    for tag in _TAG.finditer(html):
        if tag.start() >= PARSED:
            break
        walk.text(html[at : tag.start()])
        walk.tag((tag[2] or "").lower(), closing=bool(tag[1]))
        at = tag.end()
    walk.text(_TAG.sub("", html[at:]))
    return Typed("".join(walk.whole), "".join(walk.speech), walk.links)


class _Walk:
    """One pass over texts and tags."""

    def __init__(self) -> None:
        self.whole: list[str] = []
        self.speech: list[str] = []
        self.links = 0
        self._inside = ""
        """The tag of the link or code we are in."""

    def text(self, escaped: str) -> None:
        if escaped:
            text = _unescape(escaped)
            self.whole.append(text)
            if not self._inside:
                self.speech.append(text)

    def tag(self, name: str, *, closing: bool) -> None:
        mark = "\n" if name in _BLOCKS else _MARKS.get(name, "")
        self.whole.append(mark)
        if name == "a" and not closing:
            self.links += 1
        if self._inside:
            if closing and name == self._inside:
                self._inside = ""
        elif name in ("a", "code") and not closing:
            self._inside = name
            self.speech.append(HIDDEN)
        else:
            self.speech.append(mark or JOINT)


def _unescape(escaped: str) -> str:
    if "&" not in escaped:
        return escaped
    if "&#" in escaped:  # `int` refuses numbers of thousands of digits, and no such character exists
        escaped = _HUGE.sub("\ufffd", escaped)
    return entities.unescape(escaped)


def hide(text: str) -> tuple[str, int]:
    """The text with code spans and addresses hidden, and how many links (`scheme://...`) were among them."""
    if "`" not in text and "://" not in text and "www." not in text:
        return text, 0
    links = sum(1 for found in _NOT_SPEECH.finditer(text) if found[2])
    return _NOT_SPEECH.sub(HIDDEN, text), links


def without_quotations(text: str) -> str:
    """The text without what is said in somebody else's words.

    That is a line that begins with `>` and a blank (a quotation; `>word` is greentext, the speaker's own words), and
    anything between double quotation marks that has a `++` or `--` in it. Other quotation marks stay: `lol "Bob"`.
    """
    return _QUOTED.sub(_hide_quotation, text)


def _hide_quotation(found: re.Match[str]) -> str:
    quoted: str | None = found[1]
    return HIDDEN if quoted is None or "++" in quoted or "--" in quoted else quoted
