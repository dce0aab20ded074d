"""What people in the demo rooms write. None of it leaves the bridge: `bridges/text.py` counts it and lets it go."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from .cast import NICKNAMES, Person

EMOTES: Final = (
    "#popcorn", "#splat", "#rewind", "#reelgood", "#boo", "#gasp", "#scream", "#fog", "#cleaver", "#batsignoff",
    "#slowclap", "#tapejam", "#monster", "#nope", "#cheers", "#coffee", "#zzz", "#hearteyes", "#plottwist", "#budget",
    ":eyes:", ":clapboard:", ":ghost:", "Lugosi",
)  # fmt: skip
"""The rooms' emotes in the platform's spelling; CyTube's need no sign in front."""

PHRASES: Final = ("lol", "rofl", "lmao", "haha", "nice", "great", "awesome", "😂", "🤣", "😆")
"""Words of thanks while nobody has told the bridge any (settings of userstats not known yet)."""

_OPENINGS: Final = (
    "", "", "", "", "ok ", "wow ", "honestly ", "wait ", "oh no ", "I swear ", "hmm ", "no way, ", "lol ", "haha ",
    "well ", "yeah ",
)  # fmt: skip
_REMARKS: Final = (
    "that puppet is the best actor in this",
    "the zipper on the monster suit is right there",
    "who lights a cellar in bright green",
    "this soundtrack is far better than the film deserves",
    "I have seen this one about five times",
    "they clearly ran out of money in act two",
    "the dubbing is two sentences behind",
    "is that the same staircase again",
    "never split up, people, never",
    "that wig deserves its own credit",
    "somebody should feed that dog",
    "the boom mic has more screen time than the hero",
    "I would watch a whole series about the janitor",
    "these practical effects still hold up",
    "day for night strikes again",
    "the print quality is surprisingly good",
    "that was a real car, they really did that",
    "he is definitely the killer",
    "nobody runs like that",
    "they filmed this behind a supermarket",
    "my cat just left the room, fair enough",
    "grabbing a sandwich, shout if something explodes",
    "the last ten minutes are completely wild",
    "this goes off the rails very soon",
    "best line of the evening so far",
    "that scream is from the library, isn't it",
    "I had the poster of this one",
    "the remake missed the point entirely",
    "c++ compiles slower than this zombie walks",
    "why is there always a saxophone",
    "{film} is a masterpiece and I will not be argued with",
    "did we not see this {film} trailer yesterday",
    "it has been {n} minutes and nobody has opened the door",
    "{n} out of 10 for the explosion",
    "take {n} and the bat still shows its strings",
)
_SHORT: Final = (
    "yes", "no", "same", "true", "what", "oh dear", "classic", "hahaha", "lmao", "here we go", "RIP", "too soon",
    "called it", "that escalated", "there it is", "brb", "ha", "so good", "so bad", "??", "no thanks", "😂",
)  # fmt: skip
_ASKING: Final = (
    "@{some} have you seen this one",
    "@{some} is this on your list",
    "@{last} what year is this",
    "@{last} agreed",
    "{some} what did you queue next",
    "{last} you missed the best part",
)
_THANKING: Final = (
    "++{last}", "{last}++", "++{last}", "lol {last}", "{last} lol", "haha {last}", "lmao {last}", "rofl {last}",
    "nice {some}", "awesome {last}", "great {queuer}", "hahahaha {last}", "😂 {last}", "++{queuer} for this pick",
    "{queuer}++ what a find", "thanks for queueing, {queuer}++", "++{last} ++{some}",
)  # fmt: skip
_LINKING: Final = (
    "found the poster https://posters.example/p/{n}",
    "full cast list: https://films.example/title/{n}",
    "https://clips.example/v/{n} this is what I meant",
)
_LIKING: Final = ("movie++", "movie++", "film++", "vid++", "video++", "movie++ what an ending", "easily movie++")
_DISLIKING: Final = ("movie--", "film--", "vid--", "sorry but movie--")
_GREETING: Final = ("hi all", "hey everyone", "evening folks", "hello room", "hi, what did I miss", "hey {some}")
_RETURNING: Final = ("back", "back, what happened", "re", "ok I am here again", "back with snacks #popcorn")
_LEAVING: Final = ("brb", "afk a bit", "need tea, brb", "back in a few")
_WHISPERING: Final = (
    "!request {film}", "!next", "what is on tonight?", "!stats", "can you add one more trailer before the feature",
)  # fmt: skip
_ANNOUNCING: Final = "Now playing: {film}, queued by {queuer}"


class Stage(NamedTuple):
    """What a line can be about."""

    last: str
    """Who spoke last."""
    some: str
    """Somebody who is here."""
    film: str
    quality: float
    queuer: str


def line(chance: Random, speaker: Person, stage: Stage) -> str:
    """What this person says in public now; never longer than the platform's 320 characters."""
    shares = (speaker.manner.emotes, speaker.manner.thanks, 0.02, 0.015, 0.05, 0.16, 0.45)
    return chance.choices(_KINDS, shares)[0](chance, stage)


def greeting(chance: Random, stage: Stage) -> str:
    """What somebody says who has just come."""
    return _said(chance, _GREETING, stage)


def returning(chance: Random, stage: Stage) -> str:
    """What somebody says who is back at the keyboard."""
    return _said(chance, _RETURNING, stage)


def leaving(chance: Random, stage: Stage) -> str:
    """What somebody says who goes away from the keyboard."""
    return _said(chance, _LEAVING, stage)


def whisper(chance: Random, stage: Stage) -> str:
    """What somebody writes to the bot in private."""
    return _said(chance, _WHISPERING, stage)


def announcement(stage: Stage) -> str:
    """What the bot says when something begins."""
    return _ANNOUNCING.format(film=stage.film, queuer=stage.queuer)


def _remark(chance: Random, stage: Stage) -> str:
    tail = f" {_emote(chance)}" if chance.random() < 0.18 else ""
    return chance.choice(_OPENINGS) + _said(chance, _REMARKS, stage) + tail


def _short(chance: Random, _: Stage) -> str:
    return chance.choice(_SHORT)


def _question(chance: Random, stage: Stage) -> str:
    return _said(chance, _ASKING, stage)


def _link(chance: Random, stage: Stage) -> str:
    return _said(chance, _LINKING, stage)


def _vote(chance: Random, stage: Stage) -> str:
    return chance.choice(_LIKING if chance.random() < stage.quality else _DISLIKING)


def _thanks(chance: Random, stage: Stage) -> str:
    return _said(chance, _THANKING, stage)


def _emotes(chance: Random, _: Stage) -> str:
    shown = [_emote(chance)] * chance.choice((1, 1, 1, 2, 3, 5))
    return " ".join([*shown, _emote(chance)] if chance.random() < 0.3 else shown)


def _emote(chance: Random) -> str:
    """The first are used the most."""
    return EMOTES[min(int(chance.expovariate(0.22)), len(EMOTES) - 1)]


_KINDS: Final = (_emotes, _thanks, _vote, _link, _question, _short, _remark)


def _said(chance: Random, templates: tuple[str, ...], stage: Stage) -> str:
    template = chance.choice(templates)
    if "{" not in template:
        return template
    return template.format(
        last=_called(chance, stage.last),
        some=stage.some,
        queuer=_called(chance, stage.queuer),
        film=stage.film,
        n=chance.randint(2, 99),
    )


def _called(chance: Random, name: str) -> str:
    """A name as others say it: a nickname, in small letters, or as it is written."""
    roll = chance.random()
    if name in NICKNAMES and roll < 0.6:
        return chance.choice(NICKNAMES[name])
    return name.lower() if roll > 0.8 else name
