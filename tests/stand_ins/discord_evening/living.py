"""Voice, presence and membership: where people are, in which state, and what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.stand_ins.discord import Actor, Guild, activities

from .scene import Scene

_STATUSES: Final = ("online", "online", "idle", "dnd", "offline", "invisible")
_DOING: Final = (
    activities.playing("Chess", details="a secret opening", state="losing"),
    activities.playing("Go"),
    activities.listening("Spotify", details="a secret song", state="a secret singer"),
    activities.watching("Old Films"),
    activities.custom("a secret mood", "🙈"),
    activities.streaming("Twitch", "https://twitch.tv/x"),
)
_DEVICES: Final = ({"desktop"}, {"mobile"}, {"web"}, {"desktop", "mobile"})


class Living:
    """Each act says whether it happened."""

    weights: Final[Mapping[str, float]] = {
        "enter_voice": 7, "move": 4, "hang_up": 3.5, "change_state": 5, "moderate_voice": 1.2, "play_music": 0.5,
        "change_presence": 9, "repeat_presence": 0.7, "rename": 0.4, "join": 0.9, "leave": 0.6, "kick": 0.25,
        "ban": 0.12, "nick": 0.8, "give_role": 0.5, "take_role": 0.4,
    }  # fmt: skip

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._chance = scene.chance
        self._voice = scene.site.voice

    # -- voice --------------------------------------------------------------------------------------------------

    def _in_voice(self) -> list[Actor]:
        """In a guild that can be reached."""
        return [
            actor for actor in self._scene.town.people if self.where(actor) and actor.id not in self._scene.reserved
        ]

    def where(self, actor: Actor) -> Guild | None:
        """In the voice of which guild somebody is, if that can be reached."""
        now = self._voice.state(actor.user)
        return now[0] if now is not None and not now[0].unavailable else None

    async def enter_voice(self) -> bool:
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None or self._voice.state(who.user) is not None or who.id in self._scene.reserved:
            return False
        await who.join_voice(self._chance.choice(home.voices), self_mute=self._scene.maybe(0.3))
        return True

    async def move(self) -> bool:
        """Within the guild, or to another one."""
        who, home = self._scene.one(self._in_voice()), self._scene.home()
        if who is None:
            return False
        guild = home.guild if who.id in home.guild.members else self.where(who)
        home = next(one for one in self._scene.town if one.guild is guild)
        await who.join_voice(self._chance.choice(home.voices))
        return True

    async def hang_up(self) -> bool:
        who = self._scene.one(self._in_voice())
        if who is None:
            return False
        await who.leave_voice()
        return True

    async def change_state(self) -> bool:
        who = self._scene.one(self._in_voice())
        if who is None:
            return False
        flag = self._chance.choice(("self_mute", "self_mute", "self_deaf", "self_deaf", "stream", "video"))
        now = self._voice.state(who.user)
        assert now is not None
        await who.change_voice(**{flag: not getattr(now[1], flag)})
        return True

    async def moderate_voice(self) -> bool:
        home = self._scene.home()
        who = self._scene.one([one for one in self._in_voice() if self.where(one) is home.guild])
        if who is None:
            return False
        member = home.guild.members[who.id]
        if self._scene.maybe(0.5):
            await self._scene.moderator(home).server_mute(home.guild, who, muted=not member.muted)
        else:
            await self._scene.moderator(home).server_deafen(home.guild, who, deafened=not member.deafened)
        return True

    async def play_music(self) -> bool:
        """A bot comes into a channel, or leaves it."""
        jukebox, home = self._scene.town.bots[0], self._scene.home()
        now = self._voice.state(jukebox.user)
        if now is not None and now[0].unavailable:
            return False
        if now is None:
            await jukebox.join_voice(self._chance.choice(home.voices))
        else:
            await jukebox.leave_voice()
        return True

    # -- presence -----------------------------------------------------------------------------------------------

    async def change_presence(self) -> bool:
        who = self._chance.choice(self._scene.town.people)
        await self.present(who, self._chance.choice(_STATUSES))
        return True

    async def present(self, who: Actor, status: str) -> None:
        """This is somebody's status now, on some device, with some activities."""
        doing = self._chance.sample(_DOING, self._chance.choice((0, 0, 1, 1, 2)))
        clients = dict.fromkeys(sorted(self._chance.choice(_DEVICES)), status)
        await who.presence(status, *doing, clients=clients)

    async def repeat_presence(self) -> bool:
        """Once more, with nothing changed."""
        await self._chance.choice(self._scene.town.people).repeat_presence()
        return True

    async def rename(self) -> bool:
        """Everywhere; told within a presence to whoever sees one."""
        who = self._chance.choice(self._scene.town.people)
        if self._scene.maybe(0.5):
            await who.rename(name=self._scene.new_name("name"))
        else:
            await who.rename(global_name=self._scene.new_name("Display "))
        return True

    # -- membership ---------------------------------------------------------------------------------------------

    def _movable(self, guild: Guild) -> list[Actor]:
        """Who may go: no moderator, nobody the script still needs; not twice at once."""
        fixed = self._scene.town.moderators | self._scene.settled | self._scene.reserved
        return [one for one in self._scene.town.people if one.id in guild.members and one.id not in fixed]

    async def join(self) -> bool:
        """For the first time, or again."""
        home = self._scene.home()
        outside = [
            one
            for one in self._scene.town.people
            if one.id not in home.guild.members and one.id not in home.guild.bans and one.id not in self._scene.settled
        ]
        who = self._scene.one(outside)
        if who is None or not self._scene.once(("member", who.id)):
            return False
        await who.join(home.guild)
        return True

    async def leave(self) -> bool:
        home = self._scene.home()
        who = self._scene.one(self._movable(home.guild))
        if who is None or not self._scene.once(("member", who.id)):
            return False
        await who.leave(home.guild)
        return True

    async def kick(self) -> bool:
        home = self._scene.home()
        who = self._scene.one(self._movable(home.guild))
        if who is None or not self._scene.once(("member", who.id)):
            return False
        await self._scene.moderator(home).kick(home.guild, who)
        return True

    async def ban(self) -> bool:
        home = self._scene.home()
        who = self._scene.one(self._movable(home.guild))
        if who is None or not self._scene.once(("member", who.id)):
            return False
        await self._scene.moderator(home).ban(home.guild, who)
        return True

    async def nick(self) -> bool:
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None:
            return False
        member = home.guild.members[who.id]
        await who.nick(home.guild, None if member.nick else self._scene.new_name("nick"))
        return True

    async def give_role(self) -> bool:
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None:
            return False
        await self._scene.moderator(home).give_role(home.guild, who, home.regulars)
        return True

    async def take_role(self) -> bool:
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None:
            return False
        await self._scene.moderator(home).take_role(home.guild, who, home.regulars)
        return True
