"""Messages and reactions: what happens to the world, and what the gateway says of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

from . import payloads
from .arrival import visible
from .message_payloads import dispatched, message, partial_emoji
from .settings import Json
from .world import Channel, Message, User

if TYPE_CHECKING:
    from .site import StandIn

EPHEMERAL: Final = 1 << 6
LOADING: Final = 1 << 7
HAS_THREAD: Final = 1 << 5
_USERS: Final = re.compile(r"<@!?(\d+)>")
_ROLES: Final = re.compile(r"<@&(\d+)>")


class Parts(TypedDict, total=False):
    """What a message may have besides its text."""

    kind: int
    flags: int
    mentions: list[User]
    mention_everyone: bool
    attachments: list[Json]
    embeds: list[Json]
    components: list[Json]
    stickers: list[Json]
    poll: Json
    reference: Json
    replies_to: Message | None
    webhook: int | None
    interaction: Json
    only_for: User | None
    nonce: Json
    allowed: Json
    """`allowed_mentions`; without it everybody who is named is mentioned."""


class Talk:
    """Nobody's permissions are asked here."""

    def __init__(self, site: StandIn) -> None:
        self._site = site

    def post(
        self, channel: Channel, author: User, content: str, *, id_: int | None = None, **parts: Unpack[Parts]
    ) -> Message:
        """A new message, dispatched if the bot may see the channel (never if it is for one user's eyes only)."""
        site = self._site
        said = Message(id_ or site.world.ids.new(), channel, author, content, site.now())
        for part, value in parts.items():
            if part != "allowed":
                setattr(said, part, value)
        self._mention(said, parts.get("mentions", []), parts.get("allowed"))
        if said.only_for is None:
            if channel.is_thread:
                site.threads.spoken_in(channel, author, counts=said.id != channel.id)
            channel.messages[said.id] = said
            channel.last_message = said.id
            self.tell("MESSAGE_CREATE", said)
        self._note(said)
        return said

    def _mention(self, said: Message, more: Sequence[User], allowed: Json = None) -> None:
        users = [int(each) for each in _USERS.findall(said.content)]
        roles = [int(each) for each in _ROLES.findall(said.content)]
        if allowed is not None:
            users = _pinged(users, "users", allowed)
            roles = _pinged(roles, "roles", allowed)
        known = self._site.world.users
        said.mentions = list(dict.fromkeys([known[each] for each in users if each in known] + list(more)))
        said.mention_roles = list(dict.fromkeys(roles))

    def _note(self, said: Message) -> None:
        channel = said.channel
        self._site.record.note(
            "message",
            said.author.id,
            channel.guild_id,
            channel.id,
            id=said.id,
            text=said.content,
            kind=said.kind,
            bot=said.author.bot,
            webhook=said.webhook,
            parent=channel.parent.id if channel.is_thread and channel.parent else None,
            reply_to=said.replies_to.author.id if said.replies_to is not None and said.kind == 19 else None,
            mentions=[user.id for user in said.mentions],
            attachments=len(said.attachments),
            embeds=len(said.embeds),
            stickers=len(said.stickers),
            poll=said.poll is not None,
            ephemeral=said.only_for is not None,
        )

    def tell(self, event: str, said: Message) -> None:
        """MESSAGE_CREATE or MESSAGE_UPDATE."""
        if said.only_for is None and visible(said.channel, self._site.me):
            self._site.gateway.tell_message(event, dispatched(said, self._site.me.id), said)

    def told(self, said: Message) -> Json:
        """As REST answers it."""
        return message(said, self._site.me.id)

    def edit(self, said: Message, *, by_author: bool = True, **changes: Json) -> None:
        """Change fields; MESSAGE_UPDATE. Without `by_author` it is no edit (a link was unfurled, a thread made)."""
        for field, value in changes.items():
            setattr(said, field, value)
        if "content" in changes:
            self._mention(said, [])
        if by_author:
            said.edited_at = self._site.now()
            self._deed("edit", said, said.author.id, text=said.content)
        said.revision += 1
        self.tell("MESSAGE_UPDATE", said)
        self._site.interactions.touched(said)

    def delete(self, said: Message, by: User) -> None:
        """One message."""
        said.channel.messages.pop(said.id, None)
        if said.channel.is_thread and said.id != said.channel.id:
            said.channel.message_count -= 1
        self._deed("delete", said, by.id, author=said.author.id)
        if said.only_for is None:
            self._tell_here("MESSAGE_DELETE", said.channel, {"id": str(said.id)})

    def delete_many(self, channel: Channel, messages: Iterable[Message], by: User) -> None:
        """Two to a hundred at once: one MESSAGE_DELETE_BULK."""
        gone = list(messages)
        for said in gone:
            channel.messages.pop(said.id, None)
            self._deed("delete", said, by.id, author=said.author.id)
        self._tell_here("MESSAGE_DELETE_BULK", channel, {"ids": [str(said.id) for said in gone]})

    # -- reactions ----------------------------------------------------------------------------------------------

    def react(self, said: Message, user: User, emoji: str, *, burst: bool = False) -> None:
        """Nothing if the user reacted so already."""
        who = said.reactions.setdefault(emoji, {})
        if user.id in who:
            return
        who[user.id] = burst
        self._deed("react", said, user.id, emoji=emoji, author=said.author.id)
        guild = said.channel.guild
        more: Json = {"message_author_id": str(said.author.id)} if said.webhook is None else {}
        if burst:
            more["burst_colors"] = ["#ff0000"]
        if guild is not None and user.id in guild.members:
            more["member"] = payloads.member(guild.members[user.id])
        self._tell_reaction("MESSAGE_REACTION_ADD", said, user, emoji, burst=burst, more=more)

    def unreact(self, said: Message, user: User, emoji: str) -> None:
        """Nothing if there is no such reaction."""
        who = said.reactions.get(emoji, {})
        if user.id not in who:
            return
        burst = who.pop(user.id)
        if not who:
            del said.reactions[emoji]
        self._deed("unreact", said, user.id, emoji=emoji, author=said.author.id)
        self._tell_reaction("MESSAGE_REACTION_REMOVE", said, user, emoji, burst=burst, more={})

    def clear_reactions(self, said: Message, by: User, emoji: str | None = None) -> None:
        """All of them, or all of one emoji."""
        gone = {key: dict(who) for key, who in said.reactions.items() if emoji in (None, key)}
        said.reactions = {key: who for key, who in said.reactions.items() if key not in gone}
        self._deed("reactions_cleared", said, by.id, gone={key: sorted(who) for key, who in gone.items()})
        which = {"message_id": str(said.id)}
        if emoji is None:
            self._tell_here("MESSAGE_REACTION_REMOVE_ALL", said.channel, which)
        else:
            told = which | {"emoji": partial_emoji(emoji)}
            self._tell_here("MESSAGE_REACTION_REMOVE_EMOJI", said.channel, told)

    def _tell_reaction(self, event: str, said: Message, user: User, emoji: str, *, burst: bool, more: Json) -> None:
        told = {
            "user_id": str(user.id),
            "message_id": str(said.id),
            "emoji": partial_emoji(emoji),
            "burst": burst,
            "type": int(burst),
        }
        self._tell_here(event, said.channel, told | more)

    def _tell_here(self, event: str, channel: Channel, told: Json) -> None:
        if visible(channel, self._site.me):
            where = {"channel_id": str(channel.id)}
            if channel.guild is not None:
                where["guild_id"] = str(channel.guild.id)
            self._site.gateway.tell(event, told | where, channel.guild)

    def _deed(self, what: str, said: Message, who: int, **facts: Json) -> None:
        self._site.record.note(what, who, said.channel.guild_id, said.channel.id, id=said.id, **facts)


def _pinged(named: list[int], kind: str, allowed: Json) -> list[int]:
    """Who of those named `allowed_mentions` lets be mentioned."""
    if kind in (allowed.get("parse") or ()):
        return named
    return [each for each in named if str(each) in {str(one) for one in allowed.get(kind) or ()}]
