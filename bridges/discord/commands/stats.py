"""`/stats`: a question asked, and its answer page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bridges.discord.settings import CommandSettings
from userstats.contract.questions import Listed

from . import codec, incoming, outgoing, rendering
from .arguments import known, value
from .catalogue import Catalogue
from .command_set import FORMATS
from .incoming import Told, Typed
from .line import Line, in_words, refused, suggested
from .manners import Manners
from .plain import Unclear, all_of, quoted
from .query import PERSON, PLATFORM, Asker, Query, missing, on_behalf, personal, request, understood

_OLD: Final = "this cannot be read any more; run the command again"
_OTHERS: Final = "these buttons are for whoever asked; ask yourself with `/stats`"
_UNKNOWN: Final = "it is not known yet what can be asked: the statistics have not answered since this bot was set up"
_NO_BUTTONS: Final = "too long for buttons: ask for less with limit"


class Stats:
    """Answers what is asked with `/stats`. Its methods raise Unclear and Busy before anything is promised."""

    def __init__(self, line: Line, catalogue: Catalogue, manners: Manners, settings: CommandSettings) -> None:
        self._line = line
        self._catalogue = catalogue
        self._manners = manners
        self._settings = settings

    async def command(self, told: Told, typed: Typed) -> None:
        """Somebody asks."""
        await self._catalogue.wanted()
        self._is_known()
        asker = incoming.asker(told, self._settings)
        await self._ask(told, understood(typed.options, self._catalogue.questions, asker), asker)

    async def submitted(self, told: Told, custom_id: str) -> None:
        """Somebody said in a form what was missing."""
        pressed = codec.read(custom_id, (), self._catalogue.questions)
        asked = pressed and self._catalogue.questions.get(pressed.query.question)
        if pressed is None or asked is None:
            raise Unclear(_OLD)
        said = {name: value(known(asked, name), text) for name, text in incoming.filled(told).items()}
        query = pressed.query._replace(arguments={**pressed.query.arguments, **said})
        await self._ask(told, query, incoming.asker(told, self._settings))

    async def pressed(self, told: Told, custom_id: str) -> None:
        """Somebody pressed a button below an answer, perhaps of long ago."""
        await self._catalogue.wanted()
        self._is_known()
        asker = incoming.asker(told, self._settings)
        pressed = codec.read(custom_id, incoming.buttons(told), self._catalogue.questions)
        if pressed is None:
            raise Unclear(_OLD)
        if pressed.query.invoker != asker.account:
            raise Unclear(_OTHERS)
        query = pressed.query._replace(page=_page(pressed))
        asked = self._asked(query)
        values = request(query, asked, asker, self._settings)
        with self._manners.asking(asker.account, asker.guild):
            await outgoing.defer_page(told)
            reply = await self._line.ask(query.question, values, on_behalf(asked, asker))
            await self._answer(told, query, asked, asker, reply)

    async def _ask(self, told: Told, query: Query, asker: Asker) -> None:
        asked = self._asked(query)
        values = request(query, asked, asker, self._settings)
        if wanted := missing(query, asked):
            if not await outgoing.ask_for(told, query, wanted, self._catalogue.questions):
                names = all_of(one.name for one in wanted)
                raise Unclear(f"{quoted(query.question)} wants to be told {names}: write them into `arguments`")
            return
        with self._manners.asking(asker.account, asker.guild):
            await outgoing.defer(told, private=personal(query, asked))
            reply = await self._line.ask(query.question, values, on_behalf(asked, asker))
            await self._answer(told, query, asked, asker, reply)

    async def _answer(self, told: Told, query: Query, asked: Listed, asker: Asker, reply: Mapping[str, Any]) -> None:
        if refused(reply):
            view = outgoing.meant(_corrected(query, reply), self._catalogue.questions)
            await outgoing.tell(told, in_words(reply, guild=asker.guild, operator=asker.operator), view)
        elif query.form != FORMATS[0]:
            content = rendering.file(reply, query.form)
            await outgoing.send_file(told, asked.help, f"{query.question}.{_SUFFIXES[query.form]}", content)
        else:
            home = {"platform": PLATFORM, "domain": asker.guild}
            await self._show(told, query, asked, rendering.drawn(reply, asked.help, self._settings.width, home))

    async def _show(self, told: Told, query: Query, asked: Listed, drawn: rendering.Drawn) -> None:
        pages = len(drawn.pages)
        query = query._replace(page=min(query.page, pages - 1))
        view = None if asked.changes else outgoing.paging(query, pages, self._catalogue.questions)
        if view is None and pages > 1:
            drawn = drawn._replace(footer=f"{drawn.footer} · {_NO_BUTTONS}")
        await outgoing.show(told, rendering.embed(drawn, query.page), view)

    def _asked(self, query: Query) -> Listed:
        asked = self._catalogue.questions.get(query.question)
        if asked is None:
            raise Unclear(_OLD)
        return asked

    def _is_known(self) -> None:
        if not len(self._catalogue.questions):
            raise Unclear(_UNKNOWN)


def _page(pressed: codec.Pressed) -> int:
    """The page that a button leads to; the last one is found when it is known how many there are."""
    at = pressed.query.page
    return {"f": 0, "p": max(at - 1, 0), "n": at + 1, "l": codec.LAST}.get(pressed.action, at)


def _corrected(query: Query, reply: Mapping[str, Any]) -> list[tuple[str, Query]]:
    """The query with other names, where what was suggested is about the person."""
    if PERSON not in query.arguments:
        return []
    return [
        (name, query._replace(arguments={**query.arguments, PERSON: name}, page=0, form=FORMATS[0]))
        for name in suggested(reply)
    ]  # fmt: skip


_SUFFIXES: Final[Mapping[str, str]] = {"csv": "csv", "json": "json", "ndjson": "ndjson", "markdown": "md"}
