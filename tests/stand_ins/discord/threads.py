"""Threads, and the posts of forums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import payloads
from .arrival import seen_thread, visible
from .intents import Intent
from .settings import Json
from .talk import HAS_THREAD
from .world import KINDS, Channel, Message, User

if TYPE_CHECKING:
    from .site import StandIn


class Threads:
    """Nobody's permissions are asked here."""

    def __init__(self, site: StandIn) -> None:
        self._site = site

    def create(
        self, parent: Channel, author: User, name: str, *, private: bool = False, message: Message | None = None
    ) -> Channel:
        """A thread, from a message or out of nothing, with its system messages."""
        site, now = self._site, self._site.now()
        guild = parent.guild
        assert guild is not None
        plain = "announcement_thread" if parent.kind == KINDS["announcement"] else "public_thread"
        kind = KINDS["private_thread"] if private else KINDS[plain]
        number = message.id if message is not None else site.world.ids.new()
        thread = Channel(number, kind, name, guild, parent=parent, owner=author.id, created_at=now)
        thread.archive_changed_at = now
        thread.thread_members[author.id] = now
        guild.threads[thread.id] = site.world.channels[thread.id] = thread
        if not parent.holds_messages:  # of a forum it is the last post
            parent.last_message = thread.id
        site.record.note("thread_created", author.id, guild.id, thread.id, parent=parent.id, name=name)
        self._tell_created(thread)
        if message is not None:
            reference = {"type": 0, "channel_id": str(parent.id), "message_id": str(message.id)}
            reference["guild_id"] = str(guild.id)
            site.talk.edit(message, by_author=False, flags=message.flags | HAS_THREAD, thread=thread)
            site.talk.post(thread, author, "", kind=21, reference=reference, replies_to=message)
        elif not private and parent.holds_messages:
            reference = {"type": 0, "channel_id": str(thread.id), "guild_id": str(guild.id)}
            site.talk.post(parent, author, name, kind=18, reference=reference)
        return thread

    def _tell_created(self, thread: Channel) -> None:
        if visible(thread, self._site.me):
            told = seen_thread(thread, self._site.me) | {"newly_created": True}
            self._site.gateway.tell("THREAD_CREATE", told, thread.guild)

    def join(self, thread: Channel, user: User) -> None:
        """THREAD_MEMBERS_UPDATE; a private thread that the bot is added to is a THREAD_CREATE for it."""
        if user.id in thread.thread_members:
            return
        site = self._site
        saw = visible(thread, site.me)
        thread.thread_members[user.id] = site.now()
        self._note("thread_joined", thread, user)
        if user is site.me and not saw:
            site.gateway.tell("THREAD_CREATE", seen_thread(thread, site.me), thread.guild)
        added = payloads.thread_member(thread, user.id)
        assert thread.guild is not None
        if user.id in thread.guild.members:
            added["member"] = payloads.member(thread.guild.members[user.id])
        self._tell_members(thread, user, {"added_members": [added]})

    def leave(self, thread: Channel, user: User) -> None:
        """Out of the thread; nothing if not in it."""
        if user.id in thread.thread_members:
            del thread.thread_members[user.id]
            self._note("thread_left", thread, user)
            self._tell_members(thread, user, {"removed_member_ids": [str(user.id)]})

    def _tell_members(self, thread: Channel, user: User, change: Json) -> None:
        assert thread.guild is not None
        me = self._site.me
        if not visible(thread, me) and user is not me:
            return
        told = {
            "id": str(thread.id),
            "guild_id": str(thread.guild.id),
            "member_count": min(len(thread.thread_members), payloads.MAX_MEMBER_COUNT),
        }
        self._site.gateway.tell(
            "THREAD_MEMBERS_UPDATE", told | change, thread.guild, intent=Intent.GUILDS if user is me else None
        )

    def spoken_in(self, thread: Channel, author: User, *, counts: bool) -> None:
        """Before a message: whoever speaks joins, an archived thread wakes up."""
        if thread.archived:
            self.archive(thread, author, archived=False)
        thread.total_messages += counts
        thread.message_count += counts
        if thread.guild is not None and author.id in thread.guild.members:
            self.join(thread, author)

    def archive(self, thread: Channel, by: User, *, archived: bool = True) -> None:
        """THREAD_UPDATE."""
        thread.archived = archived
        thread.archive_changed_at = self._site.now()
        self._note("thread_archived" if archived else "thread_unarchived", thread, by)
        self._tell_update(thread)

    def change(self, thread: Channel, **changes: Json) -> None:
        """Name, or whether it is locked: THREAD_UPDATE."""
        for field, value in changes.items():
            setattr(thread, field, value)
        self._tell_update(thread)

    def _tell_update(self, thread: Channel) -> None:
        if visible(thread, self._site.me):
            self._site.gateway.tell("THREAD_UPDATE", seen_thread(thread, self._site.me), thread.guild)

    def delete(self, thread: Channel, by: User) -> None:
        """THREAD_DELETE."""
        guild, parent = thread.guild, thread.parent
        assert guild is not None
        assert parent is not None
        told = {"id": str(thread.id), "guild_id": str(guild.id), "parent_id": str(parent.id), "type": thread.kind}
        if visible(thread, self._site.me):
            self._site.gateway.tell("THREAD_DELETE", told, guild)
        guild.threads.pop(thread.id, None)
        self._site.world.channels.pop(thread.id, None)
        self._note("thread_deleted", thread, by)

    def own_settings(self, thread: Channel) -> None:
        """THREAD_MEMBER_UPDATE: something about the bot's own membership changed."""
        assert thread.guild is not None
        told = payloads.thread_member(thread, self._site.me.id) | {"guild_id": str(thread.guild.id)}
        self._site.gateway.tell("THREAD_MEMBER_UPDATE", told, thread.guild)

    def sync(self, parent: Channel) -> None:
        """THREAD_LIST_SYNC: the bot got access to a channel, and so to its active threads."""
        guild, me = parent.guild, self._site.me
        assert guild is not None
        there = [
            one for one in guild.threads.values() if one.parent is parent and not one.archived and visible(one, me)
        ]

        told = {
            "guild_id": str(guild.id),
            "channel_ids": [str(parent.id)],
            "threads": [payloads.thread(one) for one in there],
            "members": [payloads.thread_member(one, me.id) for one in there if me.id in one.thread_members],
        }
        self._site.gateway.tell("THREAD_LIST_SYNC", told, guild)

    def _note(self, what: str, thread: Channel, who: User) -> None:
        assert thread.guild is not None
        parent = thread.parent and thread.parent.id
        self._site.record.note(what, who.id, thread.guild.id, thread.id, parent=parent)
