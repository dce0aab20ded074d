"""What somebody wrote, turned into facts and forgotten: the only place in the system that sees a message's text.

`Facts` hold no text but known names that are thanked or mentioned, emotes and phrases as the room and the settings
spell them, and single words that a `++` is attached to (they may be a name the bridge has not heard of; only their
keyed hash leaves the bridge). No function here raises because of a text, keeps one or logs one, and the time each
takes grows no faster than the text.

What is counted:

- `characters` are the code points of the text as it was typed, without blanks around it; `words` are separated by
  blanks. Both are of the whole text; everything else is of its first 4,000 code points.
- `emotes`: a word that is exactly an emote of the room, capitals included, each time it stands between blanks (that is
  when the room draws it). `:kappa:!` is none. An emote with a blank in its name is never found.
- `links` are addresses with a scheme. Inside a link or a span of code there are no emotes, thanks or mentions.
- `thanks` and `vote`: see `plusplus.py` and `phrases.py`. Nobody is thanked twice in a message (`++` goes before a
  phrase) and the speaker never is by the name they wear; what a quotation says thanks nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from typing import Final, NamedTuple

from . import discord, phrases, plusplus
from .codes import link_code
from .markup import Typed, hide, typed, without_quotations
from .names import Known, mentions

__all__ = ["Facts", "Lexicon", "link_code", "of_discord", "of_html", "of_plain"]

SEARCHED: Final = 4_000
"""Code points of a text in which emotes, links, thanks and mentions are looked for."""
MOST_EMOTES: Final = 200
MOST_THANKS: Final = 50
MOST_MENTIONS: Final = 100


class Lexicon(NamedTuple):
    """What a bridge must know to understand thanks. A frozen value."""

    phrases: tuple[str, ...] = ()
    """Casefolded phrases of thanks (`lol`, `good one`, `😂`); repeated laughter counts without being one."""
    names: frozenset[str] = frozenset()
    """Casefolded names known in the bridge's place (people and aliases), beyond its roster."""


class Facts(NamedTuple):
    """What is kept of a message."""

    characters: int
    words: int
    emotes: tuple[str, ...] = ()
    """Each use in order, in the spelling of the room's list; at most 200, each of at most 64 code points."""
    thanks: tuple[tuple[str, str], ...] = ()
    """(casefolded name as said, `++` or the phrase), one for each name; at most 50."""
    mentions: tuple[str, ...] = ()
    """Casefolded known names after an @, each once; at most 100."""
    vote: int = 0
    """+1 for `movie++` (film, vid, video), -1 for `movie--`, else 0."""
    links: int = 0


class _Thanks(NamedTuple):
    thanks: dict[str, str]
    vote: int = 0


class _People(NamedTuple):
    thanks: tuple[tuple[str, str], ...] = ()
    mentions: tuple[str, ...] = ()
    vote: int = 0


def of_html(
    html: str, *, lexicon: Lexicon, emotes: Collection[str] = (), roster: Collection[str] = (), speaker: str = ""
) -> Facts:
    """The facts of a CyTube message, which is HTML. The default filters are undone first (`markup.typed`).

    `emotes` are the room's, spelled exactly; `roster` who is here and `speaker` who wrote this, in any spelling.
    """
    return _facts(typed(html), lexicon, emotes, roster, speaker)


def of_plain(
    text: str, *, lexicon: Lexicon, emotes: Collection[str] = (), roster: Collection[str] = (), speaker: str = ""
) -> Facts:
    """The facts of a message that is plain text; the arguments are those of `of_html`."""
    return _facts(Typed(text, text, 0), lexicon, emotes, roster, speaker)


def of_discord(
    content: str,
    *,
    lexicon: Lexicon,
    people: Mapping[str, str] | None = None,
    known: Container[str] = (),
    speaker: Collection[str] = (),
) -> Facts:
    """The facts of a Discord message. Emotes are the community's own (`:name:`) and emoji, each use of each.

    `people` are those who may be mentioned, by account: the casefolded name under which a thanks to them counts.
    `known` are more casefolded names known in the place, `speaker` are those of who wrote this. `Facts.mentions` are
    the accounts that are mentioned.
    """
    names = people or {}
    whole = discord.shown(content, names)
    speech, links = hide(_beginning(content))
    marks = discord.read(speech, names)
    folded = discord.without_long_quotation(phrases.plain(marks.speech.casefold()))
    said = _thanks(folded, lexicon, map(discord.stand_in, marks.people), known)
    thanks = dict.fromkeys(speaker, "")
    for name, token in said.thanks.items():
        thanks.setdefault(discord.thanked(name, names), token)
    return Facts(
        len(whole.strip()),
        len(whole.split()),
        tuple(emote for emote in marks.emotes if phrases.sendable(emote))[:MOST_EMOTES],
        tuple((name, token) for name, token in thanks.items() if token)[:MOST_THANKS],
        tuple(marks.people[:MOST_MENTIONS]),
        said.vote,
        links,
    )


def _facts(said: Typed, lexicon: Lexicon, emotes: Collection[str], roster: Collection[str], speaker: str) -> Facts:
    words = said.whole.split()
    speech, links = hide(_beginning(said.speech))
    used: list[str] = []
    if emotes:
        room = frozenset(emotes) if isinstance(emotes, (list, tuple)) else emotes
        shown = words if speech is said.whole else speech.split()
        used = [word for word in shown if word in room and phrases.sendable(word)]
    people = _people(phrases.plain(speech.casefold()), lexicon, roster, speaker)
    return Facts(
        len(said.whole.strip()),
        len(words),
        tuple(used[:MOST_EMOTES]),
        people.thanks,
        people.mentions,
        people.vote,
        said.links + links,
    )


def _beginning(text: str) -> str:
    """The part of a text that is searched: whole words, so that no name or emote is half of a longer word."""
    if len(text) <= SEARCHED:
        return text
    cut = text[:SEARCHED]
    if cut[-1].isspace() or text[SEARCHED].isspace():
        return cut
    whole, *torn = cut.rsplit(maxsplit=1)
    return whole if torn else ""


def _people(speech: str, lexicon: Lexicon, roster: Collection[str], speaker: str) -> _People:
    """Who is thanked and mentioned in casefolded speech, and the vote in it."""
    said = _thanks(speech, lexicon, roster)
    mentioned = mentions(speech, Known(lexicon.names, roster)) if "@" in speech else []
    said.thanks.pop(speaker.casefold(), None)
    return _People(tuple(said.thanks.items())[:MOST_THANKS], tuple(mentioned[:MOST_MENTIONS]), said.vote)


def _thanks(speech: str, lexicon: Lexicon, roster: Iterable[str], folded: Container[str] = ()) -> _Thanks:
    """Who is thanked in casefolded speech, and the vote in it. The names in `folded` are casefolded already."""
    laughs = phrases.suspected(speech, lexicon.phrases)
    if not (laughs or "++" in speech or "--" in speech):
        return _Thanks({})
    known = Known(lexicon.names, frozenset(roster), folded)
    own = without_quotations(speech)
    said = plusplus.read(own, known)
    thanks = dict.fromkeys(said.thanked, "++")
    if laughs:
        for name, phrase in phrases.read(own, lexicon.phrases, known):
            thanks.setdefault(name, phrase)
    return _Thanks(thanks, said.vote)
