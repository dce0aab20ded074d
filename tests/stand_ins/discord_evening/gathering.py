"""Threads and channels: made, joined, closed, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .scene import Scene


class Gathering:
    """Each act says whether it happened."""

    weights: Final[Mapping[str, float]] = {
        "start_thread": 1.4, "thread_from_message": 0.6, "start_private_thread": 0.2, "post": 0.6, "join_thread": 1.3,
        "leave_thread": 0.3, "add_to_thread": 0.4, "archive": 0.8, "reopen": 0.3, "delete_thread": 0.2,
        "add_channel": 0.25, "delete_channel": 0.2, "rename_channel": 0.2,
    }  # fmt: skip

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._chance = scene.chance

    async def start_thread(self) -> bool:
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None:
            return False
        await who.thread(self._chance.choice(home.texts), "a secret plan")
        return True

    async def thread_from_message(self) -> bool:
        home = self._scene.home()
        who, what = self._scene.member(home), self._scene.message(home)
        if (
            who is None
            or what is None
            or what.thread
            or what.channel not in home.texts
            or what.id in home.guild.threads
        ):
            return False
        await who.thread(what.channel, "about that", message=what)
        return True

    async def start_private_thread(self) -> bool:
        home = self._scene.home()
        thread = await self._scene.moderator(home).thread(home.texts[0], "among us", private=True)
        self._scene.private.add(thread.id)
        await self._scene.moderator(home).say(thread, self._scene.text(home))
        return True

    async def post(self) -> bool:
        """In the forum."""
        home = self._scene.home()
        who = self._scene.member(home)
        if who is None:
            return False
        await who.thread(home.forum, "an idea", text=self._scene.text(home))
        return True

    async def join_thread(self) -> bool:
        home = self._scene.home()
        who, thread = self._scene.member(home), self._scene.one(self._scene.threads(home))
        if who is None or thread is None or thread.archived:
            return False
        await who.join_thread(thread)
        return True

    async def leave_thread(self) -> bool:
        home = self._scene.home()
        who, thread = self._scene.member(home), self._scene.one(self._scene.threads(home))
        if who is None or thread is None:
            return False
        await who.leave_thread(thread)
        return True

    async def add_to_thread(self) -> bool:
        home = self._scene.home()
        who, other = self._scene.member(home), self._scene.member(home)
        thread = self._scene.one(self._scene.threads(home))
        if who is None or other is None or thread is None or thread.archived:
            return False
        await who.add_to_thread(thread, other)
        return True

    async def archive(self) -> bool:
        home = self._scene.home()
        thread = self._scene.one([one for one in home.guild.threads.values() if not one.archived])
        if thread is None:
            return False
        await self._scene.moderator(home).archive(thread)
        return True

    async def reopen(self) -> bool:
        home = self._scene.home()
        thread = self._scene.one([one for one in home.guild.threads.values() if one.archived])
        if thread is None:
            return False
        await self._scene.moderator(home).archive(thread, archived=False)
        return True

    async def delete_thread(self) -> bool:
        home = self._scene.home()
        thread = self._scene.one(list(home.guild.threads.values()))
        if thread is None:
            return False
        await self._scene.moderator(home).delete_thread(thread)
        return True

    async def add_channel(self) -> bool:
        """Up to three more of each kind."""
        home = self._scene.home()
        where, kind = self._chance.choice(((home.texts, "text"), (home.voices, "voice")))
        if len(where) >= 7:
            return False
        where.append(self._scene.site.channel(home.guild, self._scene.new_name(f"{home.guild.name}-{kind}-"), kind))
        return True

    async def delete_channel(self) -> bool:
        """One that was added; who is in its voice is thrown out."""
        home = self._scene.home()
        where = self._chance.choice((home.texts, home.voices))
        added = [one for one in where[4:] if not any(user in self._scene.reserved for user in home.guild.voice)]
        channel = self._scene.one(added)
        if channel is None:
            return False
        where.remove(channel)
        self._scene.site.building.delete_channel(channel)
        return True

    async def rename_channel(self) -> bool:
        home = self._scene.home()
        channel = self._chance.choice(home.texts)
        self._scene.site.building.change_channel(channel, name=self._scene.new_name(f"{home.guild.name}-renamed-"))
        return True
