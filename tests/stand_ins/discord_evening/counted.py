"""The oracle of what is counted: messages, reactions, threads, members. By person (account) and channel.

Rules that are not plain from the code: what is deleted stays counted, and is counted as deleted of its author if the
bridge had heard it; the emotes under it, as far as they were heard, go with it. Messages of bots, webhooks and Discord
itself (whoever they are about) are counted apart. Who chose `off` about messages does nothing from then on; who chose
`anonymous` does it as nobody: it counts for the channel only, and of joining and leaving nothing is known.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

from tests.stand_ins.discord import Deed

from .told import Told
from .town import Town

Where = tuple[int, int]
"""Guild and channel."""
Number = Counter[tuple[int, Where, str]]
SPOKEN: Final = (0, 19)
_PERSON = re.compile(r"<@(\d+)>")
_EMOTE = re.compile(r"<(:\w+:)\d+>")
NOWHERE: Final = 0
FRESH: Final = 300_000
"""Milliseconds: of a message that is not remembered, what was edited longer ago is no news."""


class Counted:
    """Counts over everything that was heard."""

    def __init__(self, town: Town, told: Told) -> None:
        self.people: Number = Counter()
        """By person, where and what."""
        self.channels: Counter[tuple[Where, str]] = Counter()
        """By channel and what, whoever it was."""
        self.emotes: Counter[tuple[str, str]] = Counter()
        """By emote and what: given, taken_back."""
        self.private: Counter[int] = Counter()
        self._names = dict(town.names) | {town.site.owner.id: town.site.owner.user.name}
        self._bots = {bot.id for bot in town.bots} | {town.site.me.id}
        self._hung: set[int] = set()
        """Threads of which the bridge was told what channel they hang on."""
        self._private = told.private
        self._parents: dict[int, int] = {}
        self._owners: dict[int, int] = {}
        self._said: dict[int, Deed] = {}
        """Messages that were heard, by id."""
        self._authors: dict[int, int | None] = {}
        """Of messages that were heard, or an emote under them; None: nobody's."""
        self._now = 0
        self._late: dict[int, Deed] = {}
        """Edits that were not heard, the last of each message."""
        self._under: dict[int, dict[tuple[int, str], None]] = defaultdict(dict)
        """Reactions that were heard and not taken back, by message."""
        self._level: dict[int, str] = {}
        self._alive: dict[int, Where] = {}
        """Threads that are open, as it is known."""
        self._really_open: dict[int, Where] = {}
        self._back = {one.after for one in told.line.silences if one.kind == "lost"}
        forgotten = {one.after for one in told.line.silences if one.by_another}
        for number, (self._now, deed, heard) in enumerate(told.all()):
            if number in self._back:
                self._look()
            if number in forgotten:
                self._forget()
            self._happened(deed)
            if heard:
                getattr(self, f"_{deed.what}", self._nothing)(deed)
            elif deed.what == "edit":
                self._late[deed["id"]] = deed
            if deed.what in ("outage_over", "bot_joined") and number >= told.line.first:
                self._look(deed.guild)

    def _forget(self) -> None:
        self._hung = set(self._alive)
        self._said.clear()
        self._under.clear()
        self._authors.clear()

    # -- what is so whether it was heard or not -----------------------------------------------------------------

    def _happened(self, deed: Deed) -> None:
        if deed.what == "thread_created":
            assert deed.channel is not None
            self._parents[deed.channel] = deed["parent"]
            self._owners[deed.channel] = deed.who or 0
        if deed.channel in self._private:
            return
        if deed.what in ("thread_created", "thread_unarchived"):
            self._really_open[deed.channel or 0] = self._where(deed)
        elif deed.what in ("thread_archived", "thread_deleted"):
            self._really_open.pop(deed.channel or 0, None)
        elif deed.what == "channel_deleted":
            where = (deed.guild or 0, deed.channel or 0)
            self._really_open = {one: at for one, at in self._really_open.items() if at != where}
        elif deed.what == "renamed":
            self._names[deed.who or 0] = deed["name"]

    def _look(self, guild: int | None = None) -> None:
        """The bridge sees which threads are open, of all guilds or of one."""
        self._alive = {one: at for one, at in self._alive.items() if guild not in (None, at[0])}
        for one, at in self._really_open.items():
            if guild in (None, at[0]):
                self._alive[one] = at
                self._hung.add(one)

    def _where(self, deed: Deed) -> Where:
        """The channel, of a thread its parent; none where nobody told whose thread it is."""
        channel = deed.channel or 0
        if channel in self._parents and channel not in self._hung and not deed.what.startswith("thread"):
            return deed.guild or 0, NOWHERE
        return deed.guild or 0, self._parents.get(channel, channel)

    def _nothing(self, deed: Deed) -> None:
        """Nothing is counted of it."""

    def _count(self, who: int, where: Where, **amounts: int) -> None:
        """For a person and the channel, as the person chose."""
        level = self._level.get(who)
        if level == "off":
            return
        for what, amount in amounts.items():
            self.channels[where, what] += amount
            if level != "anonymous":
                self.people[who, where, what] += amount

    def _consent(self, deed: Deed) -> None:
        if deed["topic"] == "messages":
            self._level[deed.who or 0] = deed["level"]

    # -- messages -----------------------------------------------------------------------------------------------

    def _message(self, deed: Deed) -> None:
        who, where = deed.who or 0, self._where(deed)
        if deed.guild is None:
            if self._level.get(who) is None and who not in self._bots:
                self.private[who] += 1
            return
        self._said[deed["id"]] = deed
        self._authors[deed["id"]] = None if deed["webhook"] else who
        if deed["bot"] or deed["webhook"] or deed["kind"] not in SPOKEN:
            if self._level.get(who) != "off" or deed["bot"]:
                self.channels[where, "bot_messages"] += 1
            return
        shown = self._shown(deed["text"])
        answered = deed["reply_to"]
        self._count(
            who, where, messages=1, words=len(shown.split()), characters=len(shown.strip()),
            links=shown.count("https://"), with_files=int(deed["attachments"] > 0),
            with_stickers=int(deed["stickers"] > 0),
            replies=int(answered is not None and self._level.get(answered) is None),
            thread_messages=int(deed.channel in self._parents),
        )  # fmt: skip

    def _shown(self, text: str) -> str:
        named = _PERSON.sub(lambda found: f"@{self._names[int(found[1])]}", text)
        return _EMOTE.sub(lambda found: found[1], named)

    def _edit(self, deed: Deed) -> None:
        self._late.pop(deed["id"], None)
        self._count(deed.who or 0, self._where(deed), edited=1)

    def _unfurled(self, deed: Deed) -> None:
        self._updated(deed["id"])

    def _updated(self, message: int) -> None:
        """Something else about a message changed: that it was edited, unseen, is seen now; if not, long ago."""
        late = self._late.pop(message, None)
        if late is not None and (message in self._said or self._now - late.at <= FRESH):
            self._count(late.who or 0, self._where(late), edited=1)

    def _delete(self, deed: Deed) -> None:
        where, said = self._where(deed), self._said.pop(deed["id"], None)
        for who, emoji in list(self._under.pop(deed["id"], ())):
            self._taken_back(who, where, emoji, deed["id"])
        self._authors.pop(deed["id"], None)
        if said is None:
            self.channels[where, "deleted_unknown"] += 1
        elif said["kind"] in SPOKEN and not said["bot"] and not said["webhook"]:
            self._count(deed["author"], where, deleted=1)

    # -- reactions ----------------------------------------------------------------------------------------------

    def _react(self, deed: Deed) -> None:
        who, where, emoji = deed.who or 0, self._where(deed), _called(deed["emoji"])
        self._under[deed["id"]][who, emoji] = None
        self._authors.setdefault(deed["id"], deed["author"] if deed["author"] in self._names else None)
        if who in self._bots or self._level.get(who) == "off":
            return
        self._count(who, where, reactions_given=1)
        self.emotes[emoji, "given"] += 1
        self._of_author(deed["id"], who, where, "reactions_received")

    def _unreact(self, deed: Deed) -> None:
        emoji = _called(deed["emoji"])
        self._under[deed["id"]].pop((deed.who or 0, emoji), None)
        self._taken_back(deed.who or 0, self._where(deed), emoji, deed["id"])

    def _reactions_cleared(self, deed: Deed) -> None:
        gone = {_called(emoji) for emoji in deed["gone"]}
        under = self._under[deed["id"]]
        for who, emoji in [one for one in under if one[1] in gone]:
            del under[who, emoji]
            self._taken_back(who, self._where(deed), emoji, deed["id"])

    def _taken_back(self, who: int, where: Where, emoji: str, message: int) -> None:
        if who in self._bots or self._level.get(who) == "off":
            return
        self._count(who, where, reactions_taken_back=1)
        self.emotes[emoji, "taken_back"] += 1
        self._of_author(message, who, where, "reactions_lost")

    def _of_author(self, message: int, who: int, where: Where, what: str) -> None:
        """For whoever wrote it, if that is known, is somebody else, and may be told."""
        author = self._authors.get(message)
        if author not in (None, who) and self._level.get(author or 0) is None:
            self._count(author or 0, where, **{what: 1})

    # -- threads ------------------------------------------------------------------------------------------------

    def _thread_created(self, deed: Deed) -> None:
        self._hung.add(deed.channel or 0)
        self._updated(deed.channel or 0)  # a thread from a message has its id
        where = self._where(deed)
        self._alive[deed.channel or 0] = where
        if self._level.get(deed.who or 0) is None:
            self._count(deed.who or 0, where, threads_created=1)
        else:
            self.channels[where, "threads_created"] += 1

    def _thread_joined(self, deed: Deed) -> None:
        who = deed.who or 0
        if who not in self._bots and who != self._owners.get(deed.channel or 0):
            self._count(who, self._where(deed), threads_joined=1)

    def _thread_archived(self, deed: Deed) -> None:
        self._hung.add(deed.channel or 0)
        if self._alive.pop(deed.channel or 0, None) is not None:
            self.channels[self._where(deed), "threads_archived"] += 1

    _thread_deleted = _thread_archived

    def _thread_unarchived(self, deed: Deed) -> None:
        self._hung.add(deed.channel or 0)
        self._alive[deed.channel or 0] = self._where(deed)

    def _channel_deleted(self, deed: Deed) -> None:
        where = (deed.guild or 0, deed.channel or 0)
        self._alive = {one: at for one, at in self._alive.items() if at != where}

    # -- answers ------------------------------------------------------------------------------------------------

    def of(self, who: int, *what: str) -> Mapping[Where, tuple[int, ...]]:
        """These numbers of a person, by channel; channels where all of them are 0 left out."""
        places = {where for one, where, name in self.people if one == who and name in what}
        rows = {where: tuple(self.people[who, where, name] for name in what) for where in places}
        return {where: row for where, row in rows.items() if any(row)}

    def at(self, *what: str) -> Mapping[Where, tuple[int, ...]]:
        """These numbers of each channel."""
        places = {where for where, name in self.channels if name in what}
        rows = {where: tuple(self.channels[where, name] for name in what) for where in places}
        return {where: row for where, row in rows.items() if any(row)}

    @property
    def open_threads(self) -> Counter[Where]:
        return Counter(self._alive.values())


def _called(emoji: str) -> str:
    """As answers spell it: a community's own emote in colons."""
    name, _, number = emoji.partition(":")
    return f":{name}:" if number else emoji
