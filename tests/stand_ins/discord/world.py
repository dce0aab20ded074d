"""What there is: users, guilds, channels, messages. Plain data; nothing here tells anybody anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

from .settings import Clock, Json
from .snowflake import Ids

KINDS: Final = {
    "text": 0,
    "dm": 1,
    "voice": 2,
    "category": 4,
    "announcement": 5,
    "announcement_thread": 10,
    "public_thread": 11,
    "private_thread": 12,
    "stage": 13,
    "forum": 15,
    "media": 16,
}
"""Channel types by the names used here."""


@dataclasses.dataclass(eq=False, slots=True)
class Presence:
    """What a user's clients say. `status` is what others see, `offline` for the invisible."""

    status: str = "offline"
    clients: dict[str, str] = dataclasses.field(default_factory=dict)
    """Status by client: desktop, mobile, web."""
    activities: list[Json] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(eq=False, slots=True)
class User:
    """An account."""

    id: int
    name: str
    global_name: str | None = None
    bot: bool = False
    accepts_dms: bool = True
    presence: Presence = dataclasses.field(default_factory=Presence)

    @property
    def mention(self) -> str:
        """As it is written in a message."""
        return f"<@{self.id}>"


@dataclasses.dataclass(eq=False, slots=True)
class Role:
    """A role of one guild; the guild's own id is @everyone."""

    id: int
    name: str
    permissions: int = 0
    position: int = 0
    colour: int = 0
    managed: bool = False

    @property
    def mention(self) -> str:
        """As it is written in a message."""
        return f"<@&{self.id}>"


@dataclasses.dataclass(frozen=True, slots=True)
class Overwrite:
    """What one role or member may (not) do in one channel."""

    target: int
    allow: int = 0
    deny: int = 0
    member: bool = False


@dataclasses.dataclass(eq=False, slots=True)
class Channel:
    """A channel of a guild, a thread, or a direct conversation."""

    id: int
    kind: int
    name: str
    guild: Guild | None = None
    position: int = 0
    parent: Channel | None = None
    topic: str | None = None
    overwrites: list[Overwrite] = dataclasses.field(default_factory=list)
    nsfw: bool = False
    messages: dict[int, Message] = dataclasses.field(default_factory=dict)
    last_message: int | None = None
    recipient: User | None = None
    """The other side of a direct conversation."""
    owner: int = 0
    """Who made the thread."""
    archived: bool = False
    locked: bool = False
    archive_changed_at: int = 0
    created_at: int = 0
    thread_members: dict[int, int] = dataclasses.field(default_factory=dict)
    """When they joined (ms), by user id."""
    message_count: int = 0
    total_messages: int = 0

    @property
    def mention(self) -> str:
        """As it is written in a message."""
        return f"<#{self.id}>"

    @property
    def guild_id(self) -> int | None:
        """None for a direct conversation."""
        return None if self.guild is None else self.guild.id

    @property
    def is_thread(self) -> bool:
        """Of whichever kind."""
        return self.kind in (10, 11, 12)

    @property
    def is_private_thread(self) -> bool:
        """One must be in it, or manage threads."""
        return self.kind == 12

    @property
    def is_voice(self) -> bool:
        """Voice or stage."""
        return self.kind in (2, 13)

    @property
    def holds_messages(self) -> bool:
        """Categories, forums and media channels do not."""
        return self.kind not in (4, 15, 16)


@dataclasses.dataclass(eq=False, slots=True)
class Member:
    """A user in a guild. Times in ms."""

    user: User
    joined_at: int
    nick: str | None = None
    roles: list[int] = dataclasses.field(default_factory=list)
    muted: bool = False
    deafened: bool = False


@dataclasses.dataclass(eq=False, slots=True)
class VoiceState:
    """Where and how somebody is in voice; `muted` and `deafened` by moderators, `self_*` by themselves."""

    user: User
    channel: Channel
    session: str
    self_mute: bool = False
    self_deaf: bool = False
    stream: bool = False
    video: bool = False
    suppress: bool = False


@dataclasses.dataclass(eq=False, slots=True)
class Message:
    """A message as it stands."""

    id: int
    channel: Channel
    author: User
    content: str
    at: int
    kind: int = 0
    flags: int = 0
    edited_at: int | None = None
    mentions: list[User] = dataclasses.field(default_factory=list)
    mention_roles: list[int] = dataclasses.field(default_factory=list)
    mention_everyone: bool = False
    attachments: list[Json] = dataclasses.field(default_factory=list)
    embeds: list[Json] = dataclasses.field(default_factory=list)
    components: list[Json] = dataclasses.field(default_factory=list)
    stickers: list[Json] = dataclasses.field(default_factory=list)
    poll: Json = None
    reference: Json = None
    replies_to: Message | None = None
    reactions: dict[str, dict[int, bool]] = dataclasses.field(default_factory=dict)
    """By emoji (`👍` or `name:id`): who, and whether it is a super reaction."""
    webhook: int | None = None
    pinned: bool = False
    interaction: Json = None
    """`interaction_metadata` of what the application answered."""
    only_for: User | None = None
    """Ephemeral: nobody else sees it, and it is in no channel's history."""
    thread: Channel | None = None
    nonce: Json = None
    revision: int = 0
    """How often anything about it was changed."""


@dataclasses.dataclass(eq=False, slots=True)
class Guild:
    """A guild; `roles[guild.id]` is @everyone."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = dataclasses.field(default_factory=dict)
    channels: dict[int, Channel] = dataclasses.field(default_factory=dict)
    threads: dict[int, Channel] = dataclasses.field(default_factory=dict)
    members: dict[int, Member] = dataclasses.field(default_factory=dict)
    voice: dict[int, VoiceState] = dataclasses.field(default_factory=dict)
    bans: dict[int, str] = dataclasses.field(default_factory=dict)
    afk_channel: Channel | None = None
    afk_timeout: int = 300
    system_channel: Channel | None = None
    """Where joins are announced, if anywhere."""
    unavailable: bool = False
    """An outage: nothing of it reaches anybody."""


class World:
    """Everything, by id."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ids = Ids(clock)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        """Threads and direct conversations too."""
        self._conversations: dict[int, Channel] = {}
        self.webhooks: dict[int, User] = {}
        self._first_names: dict[str, User] = {}

    def user(self, name: str, *, bot: bool = False) -> User:
        """The account that was made with this name (whatever it is called now), known or new."""
        if name not in self._first_names:
            user = User(self.ids.old(), name, bot=bot)
            self._first_names[name] = self.users[user.id] = user
        return self._first_names[name]

    def guilds_of(self, user: User) -> Iterator[Guild]:
        """Those the user is a member of."""
        return (guild for guild in self.guilds.values() if user.id in guild.members)

    def dm(self, user: User) -> Channel:
        """The conversation between the bot and somebody, known or new."""
        if user.id not in self._conversations:
            channel = Channel(self.ids.old(), KINDS["dm"], "", recipient=user)
            self._conversations[user.id] = self.channels[channel.id] = channel
        return self._conversations[user.id]
