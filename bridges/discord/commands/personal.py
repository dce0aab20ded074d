"""`/opt_in`, `/opt_out`, `/privacy` and `/link`: what somebody wants counted of them, and which accounts are theirs.

Everything here is said to the person alone. userstats decides and remembers; here are only the words.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from bridges.discord.settings import CommandSettings

from . import incoming, outgoing
from .command_set import LEVELS, LINK, OPT_IN, OPT_OUT, PRIVACY, TOPICS
from .incoming import Told, Typed
from .line import Line, in_words, refused
from .manners import Manners
from .plain import plain, quoted
from .query import PLATFORM, Asker

log = logging.getLogger(__name__)

SET, SHOW = "consent.set", "consent.show"
_OFF: Final = "off"
_MEANS: Final[Mapping[str, str]] = {
    "off": "nothing is kept of you",
    "anonymous": "you are counted in sums, as nobody",
    "counted": "you are counted, and only you see your numbers",
    "shown": "you are counted, and everybody may see it",
}
_TOPICS: Final[Mapping[str, str]] = {
    "messages": "Messages, reactions, threads and membership",
    "voice": "Voice",
    "presence": "Being online, and what you play",
}
_EVERYTHING: Final = TOPICS[0]


class Personal:
    """Asks userstats on behalf of whoever typed. `changed` is awaited after somebody has chosen."""

    def __init__(
        self, line: Line, manners: Manners, settings: CommandSettings, changed: Callable[[], Awaitable[None]]
    ) -> None:
        self._line = line
        self._manners = manners
        self._settings = settings
        self._changed = changed

    async def command(self, told: Told, typed: Typed) -> None:
        """One of the commands. Raises Busy before anything is promised."""
        asker = incoming.asker(told, self._settings)
        with self._manners.asking(asker.account, asker.guild):
            await outgoing.defer(told, private=True)
            await outgoing.tell(told, await self._said(typed, asker))
        if typed.words[0] in {OPT_IN, OPT_OUT}:
            await self._changed()

    async def _said(self, typed: Typed, asker: Asker) -> str:
        word, step = typed.words[0], typed.words[-1]
        if word in {OPT_IN, OPT_OUT}:
            level = _OFF if word == OPT_OUT else typed.options.get("level", LEVELS[0])
            return await self._choose(typed.options.get("what", _EVERYTHING), level, asker)
        if word == PRIVACY:
            return await self._privacy(asker)
        if word == LINK and step in _LINKING:
            question, said = _LINKING[step]
            code = {"code": str(typed.options["code"]).strip()} if "code" in typed.options else {}
            reply = await self._asks(question, code, asker)
            return in_words(reply) if refused(reply) else said(reply["data"])
        return "This command is not known here any more; it will disappear"

    async def _choose(self, what: str, level: str, asker: Asker) -> str:
        topic = {} if what == _EVERYTHING else {"topic": what}
        reply = await self._asks(SET, {"level": level, **topic}, asker)
        if refused(reply):
            return in_words(reply)
        about = "everything" if what == _EVERYTHING else _TOPICS.get(what, what).lower()
        return f"From now on, about {about}: {_MEANS[level]}. Change it with `/opt_in` and `/opt_out`"

    async def _privacy(self, asker: Asker) -> str:
        reply = await self._asks(SHOW, {"space": asker.guild}, asker)
        if refused(reply):
            return in_words(reply)
        lines = [_held(one) for one in reply["data"]]
        return "\n".join(["What holds for you here:", *lines, _RIGHTS])

    async def _asks(self, question: str, request: Mapping[str, Any], asker: Asker) -> dict[str, Any]:
        whose = {"platform": PLATFORM, "account": asker.account}
        return await self._line.ask(question, {**whose, **request}, f"{PLATFORM}:{asker.account}")


def _held(one: Mapping[str, Any]) -> str:
    topic, chosen, holds = str(one["topic"]), one.get("chosen"), str(one["holds"])
    why = "you chose so" if chosen else "you have not chosen; it is what this installation does by itself"
    return f"**{_TOPICS.get(topic, topic)}**: {_MEANS.get(holds, holds)} ({why})."


def _code(data: Mapping[str, Any]) -> str:
    where = str(data.get("type_on") or "").capitalize() or "CyTube"
    return (
        f"Your code is {quoted(data['code'])}. Within ten minutes send it to the bot with your other account: on "
        f"{where} as a private message that is nothing but the code. Nobody else should see it"
    )


def _message(data: Mapping[str, Any]) -> str:
    return plain(str(data["message"]))


def _accounts(data: Any) -> str:
    if not data:
        return "No other account is proven to be yours. `/link start` gets you a code for one"
    names = [f"{quoted(one['username'])} ({plain(' '.join(filter(None, _where(one))))})" for one in data]
    return f"These are counted as you, too: {', '.join(names)}. `/link undo` takes that back"


def _where(one: Mapping[str, Any]) -> tuple[str, str]:
    return str(one.get("platform", "")), str(one.get("domain", ""))


_LINKING: Final[Mapping[str, tuple[str, Callable[[Any], str]]]] = {
    "start": ("link.begin", _code), "confirm": ("link.confirm", _message), "show": ("link.show", _accounts),
    "undo": ("link.undo", _message),
}  # fmt: skip
"""By the second word of `/link`: what is asked, and how the answer is said."""
_RIGHTS: Final = "Change it with `/opt_in` and `/opt_out`. What you wrote is never kept, only how much it was"
