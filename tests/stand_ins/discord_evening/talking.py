"""What people say, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.stand_ins.discord import Actor, Channel
from tests.stand_ins.discord.actor import File

from .scene import REACTIONS, Scene
from .town import Home


class Talking:
    """Each act says whether it happened."""

    weights: Final[Mapping[str, float]] = {
        "say": 34, "reply": 6, "send_files": 2.5, "send_sticker": 1.5, "ask_all": 0.4, "say_in_thread": 6,
        "say_in_voice_chat": 2, "whisper": 1, "feed": 1, "roll_dice": 1.5, "offend": 0.4, "edit": 4, "unfurl": 0.6,
        "take_back": 2.5, "moderate": 0.7, "purge": 0.3, "react": 10, "bot_reacts": 0.4, "unreact": 3.5,
        "clear_reactions": 0.5, "clear_one_emoji": 0.3,
    }  # fmt: skip

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._chance = scene.chance

    async def say_something(self, home: Home | None = None, who: Actor | None = None) -> None:
        """A line of chat, by anybody, anywhere."""
        scene = self._scene
        home = home or scene.home()
        who = who or scene.member(home) or scene.moderator(home)
        scene.lately.append(await who.say(self._chance.choice(home.texts), scene.text(home)))

    async def say(self) -> bool:
        await self.say_something()
        return True

    async def reply(self) -> bool:
        home = self._scene.home()
        who, what = self._scene.member(home), self._scene.message(home)
        if who is None or what is None or what.channel.archived:
            return False
        said = await who.say(what.channel, self._scene.text(home), reply_to=what, ping=self._scene.maybe(0.5))
        self._scene.lately.append(said)
        return True

    async def send_files(self) -> bool:
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None:
            return False
        both: list[File] = [("poster.png", 2000, "image/png"), "notes.txt"]
        files = both[: self._chance.randint(1, 2)]
        text = self._scene.text(home) if self._scene.maybe(0.5) else ""
        self._scene.lately.append(await who.say(self._chance.choice(home.texts), text, files=files))
        return True

    async def send_sticker(self) -> bool:
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None:
            return False
        self._scene.lately.append(await who.say(self._chance.choice(home.texts), "", stickers=["wave"]))
        return True

    async def ask_all(self) -> bool:
        """A poll."""
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None:
            return False
        answers = [{"poll_media": {"text": one}} for one in ("yes", "no")]
        poll = {"question": {"text": "again"}, "answers": answers, "duration": 24, "allow_multiselect": False}
        await who.say(self._chance.choice(home.texts), "", poll=poll)
        return True

    async def say_in_thread(self) -> bool:
        home = self._scene.home()
        who, thread = self._scene.member(home), self._scene.one(self._scene.threads(home))
        if who is None or thread is None:
            return False
        self._scene.lately.append(await who.say(thread, self._scene.text(home)))
        return True

    async def say_in_voice_chat(self) -> bool:
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None:
            return False
        self._scene.lately.append(await who.say(self._chance.choice(home.voices), self._scene.text(home)))
        return True

    async def whisper(self) -> bool:
        """To the bot."""
        who = self._scene.member(self._scene.home())
        if who is None:
            return False
        await who.dm(" ".join(self._chance.choices(("psst", "hello", "bot"), k=3)))
        return True

    async def feed(self) -> bool:
        """A webhook."""
        home = self._scene.home()
        self._scene.site.webhook(home.texts[-1], "feed", "headline of the hour")
        return True

    async def roll_dice(self) -> bool:
        """Another bot."""
        home = self._scene.home()
        dicebot = self._scene.town.bots[1]
        self._scene.lately.append(await dicebot.say(self._chance.choice(home.texts), "you rolled a six"))
        return True

    async def offend(self) -> bool:
        """AutoMod reports somebody."""
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None:
            return False
        self._scene.site.automod_alert(home.texts[0], who, "what was blocked")
        return True

    async def edit(self) -> bool:
        home = self._scene.home()
        what = self._scene.message(home)
        if what is None or what.author.bot or what.webhook or what.poll or not self._scene.once(("edit", what.id)):
            return False
        await self._scene.site.acting(what.author).edit(what, self._scene.text(home))
        return True

    async def unfurl(self) -> bool:
        """A preview appears: no edit."""
        what = self._scene.message(self._scene.home())
        if what is None:
            return False
        self._scene.site.unfurl(what)
        where = what.channel.guild_id, what.channel.id
        self._scene.site.record.note("unfurled", what.author.id, *where, id=what.id)
        return True

    async def take_back(self) -> bool:
        """One's own message."""
        what = self._scene.message(self._scene.home())
        if what is None or what.author.bot or what.webhook:
            return False
        await self._scene.site.acting(what.author).delete(what)
        return True

    async def moderate(self) -> bool:
        """Anybody's message."""
        home = self._scene.home()
        what = self._scene.message(home)
        if what is None:
            return False
        await self._scene.moderator(home).delete(what)
        return True

    async def purge(self) -> bool:
        """The latest of a channel."""
        home = self._scene.home()
        channel: Channel = self._chance.choice(home.texts)
        latest = list(channel.messages.values())[-self._chance.randint(2, 6) :]
        if len(latest) < 2:
            return False
        await self._scene.moderator(home).purge(channel, latest)
        return True

    async def react(self) -> bool:
        home = self._scene.home()
        who, what = self._scene.member(home), self._scene.message(home)
        if who is None or what is None:
            return False
        await who.react(what, self._chance.choice(REACTIONS))
        return True

    async def bot_reacts(self) -> bool:
        what = self._scene.message(self._scene.home())
        if what is None:
            return False
        await self._scene.town.bots[1].react(what, "👍")
        return True

    async def unreact(self) -> bool:
        home = self._scene.home()
        what = self._scene.message(home)
        people = {actor.id: actor for actor in self._scene.town.people}
        given = [(people[who], emoji) for emoji, all_ in (what.reactions.items() if what else ()) for who in all_
                 if who in people]  # fmt: skip
        chosen = self._scene.one(given)
        if what is None or chosen is None:
            return False
        await chosen[0].unreact(what, chosen[1])
        return True

    async def clear_reactions(self) -> bool:
        home = self._scene.home()
        what = self._scene.message(home)
        if what is None or not what.reactions:
            return False
        await self._scene.moderator(home).clear_reactions(what)
        return True

    async def clear_one_emoji(self) -> bool:
        home = self._scene.home()
        what = self._scene.message(home)
        if what is None or not what.reactions:
            return False
        await self._scene.moderator(home).clear_reactions(what, self._chance.choice(list(what.reactions)))
        return True
