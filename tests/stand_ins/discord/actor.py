"""Acting users: they do what a person with a client could do, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from . import drafts
from .commands import Impossible
from .permissions import Permission
from .replying import Replying
from .settings import Json
from .talk import Parts
from .world import Channel, Guild, Message, Role

if TYPE_CHECKING:
    pass

File = str | tuple[str, int, str]
"""A name, or a name with size and content type."""

_LONGEST: Final = 4000
"""Characters of a message, for those who pay; 2000 for others."""


class Actor(Replying):
    """One account. Each action is complete (its dispatches are written) when the call returns.

    `Impossible` says why something cannot be done: not a member, no permission, nothing like that there.
    """

    # -- messages -----------------------------------------------------------------------------------------------

    async def say(
        self,
        channel: Channel,
        text: str = "",
        *,
        reply_to: Message | None = None,
        ping: bool = True,
        files: Sequence[File] = (),
        stickers: Sequence[str] = (),
        poll: Json = None,
    ) -> Message:
        """A message; `ping` mentions the author of what it replies to."""
        self.need(channel, Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES)
        if not (text or files or stickers or poll) or len(text) > _LONGEST or not channel.holds_messages:
            raise Impossible(f"nothing to say, too much, or nowhere: {channel.name}")
        if files:
            self.need(channel, Permission.ATTACH_FILES)
        if channel.is_thread and channel.locked:
            self.need(channel, Permission.MANAGE_THREADS)
        parts: Parts = {"attachments": [self._attachment(channel, file) for file in files]}
        parts["stickers"] = [
            {"id": str(self.site.world.ids.old()), "name": name, "format_type": 1} for name in stickers
        ]
        if poll is not None:
            parts["poll"] = drafts.poll(poll)
        if reply_to is not None:
            parts |= {"kind": 19, "replies_to": reply_to, "reference": drafts.reference_to(reply_to)}
            parts["mentions"] = [reply_to.author] if ping and reply_to.author is not self.user else []
        parts["mention_everyone"] = "@everyone" in text and self.may(channel, Permission.MENTION_EVERYONE)
        return await self._done(self.site.talk.post(channel, self.user, text, **parts))

    def _attachment(self, channel: Channel, file: File) -> Json:
        name, size, kind = file if isinstance(file, tuple) else (file, 1000, "application/octet-stream")
        number = self.site.world.ids.new()
        url = f"https://cdn.discordapp.com/attachments/{channel.id}/{number}/{name}"
        return {"id": str(number), "filename": name, "size": size, "url": url, "proxy_url": url, "content_type": kind}

    async def dm(self, text: str) -> Message:
        """A direct message to the bot."""
        return await self._done(self.site.talk.post(self.site.world.dm(self.user), self.user, text))

    async def edit(self, message: Message, text: str) -> None:
        """One's own message."""
        self._own(message)
        self.site.talk.edit(message, content=text)
        await self._done(None)

    async def delete(self, message: Message) -> None:
        """One's own message, or a moderator any."""
        if message.author is not self.user:
            self.need(message.channel, Permission.MANAGE_MESSAGES)
        self._there(message)
        self.site.talk.delete(message, self.user)
        await self._done(None)

    async def purge(self, channel: Channel, messages: Iterable[Message]) -> None:
        """Several at once, as other bots do for moderators."""
        self.need(channel, Permission.MANAGE_MESSAGES)
        self.site.talk.delete_many(channel, messages, self.user)
        await self._done(None)

    async def react(self, message: Message, emoji: str, *, burst: bool = False) -> None:
        """`👍`, or `name:id` of a custom emoji."""
        self._there(message)
        self.need(message.channel, Permission.READ_MESSAGE_HISTORY)
        if emoji not in message.reactions:
            self.need(message.channel, Permission.ADD_REACTIONS)
        self.site.talk.react(message, self.user, emoji, burst=burst)
        await self._done(None)

    async def unreact(self, message: Message, emoji: str) -> None:
        """One's own reaction."""
        if self.user.id not in message.reactions.get(emoji, {}):
            raise Impossible(f"{self.name} did not react so")
        self.site.talk.unreact(message, self.user, emoji)
        await self._done(None)

    async def clear_reactions(self, message: Message, emoji: str | None = None) -> None:
        """A moderator removes all, or all of one emoji."""
        self.need(message.channel, Permission.MANAGE_MESSAGES)
        self.site.talk.clear_reactions(message, self.user, emoji)
        await self._done(None)

    # -- membership ---------------------------------------------------------------------------------------------

    async def join(self, guild: Guild) -> None:
        """By some invitation; nothing if already a member."""
        if self.user.id in guild.bans or guild.unavailable:
            raise Impossible(f"{self.name} cannot join {guild.name}")
        self.site.membership.join(guild, self.user)
        await self._done(None)

    async def leave(self, guild: Guild) -> None:
        """The guild; owners cannot."""
        self.member(guild)
        if guild.owner_id == self.user.id:
            raise Impossible(f"{self.name} owns {guild.name}")
        self.site.membership.leave(guild, self.user)
        await self._done(None)

    async def nick(self, guild: Guild, nick: str | None) -> None:
        """Another name in one guild."""
        self.need_in(guild, Permission.CHANGE_NICKNAME)
        self.site.membership.nick(guild, self.user, nick)
        await self._done(None)

    async def rename(self, *, name: str | None = None, global_name: str | None = None) -> None:
        """Another name everywhere; "" removes the display name."""
        self.site.membership.rename(self.user, name=name, global_name=global_name)
        await self._done(None)

    async def kick(self, guild: Guild, other: Actor) -> None:
        """Out of the guild."""
        self.above(guild, other, Permission.KICK_MEMBERS)
        self.site.membership.leave(guild, other.user, what="kicked", by=self.user)
        await self._done(None)

    async def ban(self, guild: Guild, other: Actor) -> None:
        """Out of the guild for good."""
        self.above(guild, other, Permission.BAN_MEMBERS)
        self.site.membership.ban(guild, other.user, self.user)
        await self._done(None)

    async def give_role(self, guild: Guild, other: Actor, role: Role) -> None:
        """A role below one's own."""
        self.above_role(guild, role)
        other.member(guild)
        self.site.membership.give(guild, other.user, role, self.user)
        await self._done(None)

    async def take_role(self, guild: Guild, other: Actor, role: Role) -> None:
        """A role below one's own."""
        self.above_role(guild, role)
        other.member(guild)
        self.site.membership.take(guild, other.user, role, self.user)
        await self._done(None)

    async def presence(self, status: str, *activities: Json, clients: dict[str, str] | None = None) -> None:
        """online, idle, dnd, invisible or offline; activities from `activities.py`; status by client."""
        self.site.membership.present(self.user, status, activities, clients)
        await self._done(None)

    async def repeat_presence(self) -> None:
        """The same again, as happens."""
        self.site.membership.repeat(self.user)
        await self._done(None)

    # -- voice --------------------------------------------------------------------------------------------------

    async def join_voice(self, channel: Channel, **flags: bool) -> None:
        """Enter, or move; flags: self_mute, self_deaf, stream, video."""
        self.need(channel, Permission.CONNECT)
        if not channel.is_voice:
            raise Impossible(f"{channel.name} has no voice")
        self.site.voice.enter(self.user, channel, **flags)
        await self._done(None)

    async def change_voice(self, **flags: bool) -> None:
        """self_mute, self_deaf, stream, video, suppress (a stage's speakers are not suppressed)."""
        now = self.site.voice.state(self.user)
        if now is None:
            raise Impossible(f"{self.name} is not in voice")
        self.site.voice.enter(self.user, now[1].channel, **flags)
        await self._done(None)

    async def leave_voice(self) -> None:
        """Hang up."""
        if self.site.voice.state(self.user) is None:
            raise Impossible(f"{self.name} is not in voice")
        self.site.voice.leave(self.user)
        await self._done(None)

    async def server_mute(self, guild: Guild, other: Actor, *, muted: bool) -> None:
        """As a moderator."""
        self.need_in(guild, Permission.MUTE_MEMBERS)
        other.member(guild)
        self.site.voice.moderate(guild, other.user, muted=muted)
        await self._done(None)

    async def server_deafen(self, guild: Guild, other: Actor, *, deafened: bool) -> None:
        """As a moderator."""
        self.need_in(guild, Permission.DEAFEN_MEMBERS)
        other.member(guild)
        self.site.voice.moderate(guild, other.user, deafened=deafened)
        await self._done(None)

    # -- threads ------------------------------------------------------------------------------------------------

    async def thread(
        self,
        channel: Channel,
        name: str,
        *,
        message: Message | None = None,
        private: bool = False,
        text: str = "",
    ) -> Channel:
        """Start a thread (from a message), or a post with a `text` in a forum."""
        self.need(channel, Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS)
        if channel.holds_messages == bool(text) or (message is not None and message.thread is not None):
            raise Impossible("posts need a text, threads have none, a message starts one thread")
        made = self.site.threads.create(channel, self.user, name, private=private, message=message)
        if text:
            self.site.talk.post(made, self.user, text, id_=made.id)
        return await self._done(made)

    async def join_thread(self, thread: Channel) -> None:
        """Become a member of a thread."""
        self.need(thread, Permission.VIEW_CHANNEL)
        self.site.threads.join(thread, self.user)
        await self._done(None)

    async def leave_thread(self, thread: Channel) -> None:
        """Not a member any more."""
        self.site.threads.leave(thread, self.user)
        await self._done(None)

    async def add_to_thread(self, thread: Channel, other: Actor) -> None:
        """Somebody else."""
        self.need(thread, Permission.SEND_MESSAGES_IN_THREADS)
        if thread.guild is not None:
            other.member(thread.guild)
        self.site.threads.join(thread, other.user)
        await self._done(None)

    async def archive(self, thread: Channel, *, archived: bool = True) -> None:
        """One's own thread, or a moderator any."""
        if thread.owner != self.user.id:
            self.need(thread, Permission.MANAGE_THREADS)
        self.site.threads.archive(thread, self.user, archived=archived)
        await self._done(None)

    async def delete_thread(self, thread: Channel) -> None:
        """A moderator."""
        self.need(thread, Permission.MANAGE_THREADS)
        self.site.threads.delete(thread, self.user)
        await self._done(None)
