"""The section `discord` of config.json: the bot, and what of its guilds is observed."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Id = Annotated[str, Meta(pattern=r"^[0-9]{1,20}$")]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class CommandSettings(Struct, frozen=True, kw_only=True):
    """Part `commands` of the section `discord`: who may ask what from inside Discord, and how answers look."""

    enabled: bool = True
    """Offer `/stats`, `/opt_in`, `/opt_out`, `/privacy` and `/link`."""
    anywhere: bool = False
    """Everybody may ask about every place, and moderators of any server may change what holds for all of them: right
    where all places are one community's. Otherwise people of a server see that server."""
    operators: tuple[Id, ...] = ()
    """Accounts of those who run this installation: they may ask about every place."""
    width: Annotated[int, Meta(ge=24, le=100)] = 48
    """Characters in a line of a table. Phones show about 40 to 48."""


class Discord(Struct, frozen=True, kw_only=True):
    """Section `discord`: the bot and what it observes. Ids are texts of digits, as Discord's client copies them."""

    token: str = ""
    """The bot's. The environment variable DISCORD_BOT_TOKEN goes before it."""
    guilds: tuple[Id, ...] = ()
    """Servers that are observed; empty: every one the bot is in."""
    members: bool = True
    """Ask for the privileged intent of this name: who joins, leaves and is renamed."""
    presences: bool = True
    """Ask for the privileged intent of this name: who is online, and what they play."""
    message_content: bool = True
    """Ask for the privileged intent of this name: words, emotes, links and thanks. Messages are counted without it."""
    track_voice: bool = True
    track_games: bool = True
    """Names of what people play, stream, listen to or watch."""
    track_status: bool = True
    """That somebody has a custom status; never what it says."""
    shard_count: Annotated[int, Meta(ge=1, le=10_000)] = 1
    """Into how many parts all servers are divided, over all processes."""
    shard_ids: tuple[Annotated[int, Meta(ge=0)], ...] = ()
    """Which of these parts this process observes; empty: all of them."""
    proxy: str = ""
    """Address of an HTTP proxy (`http://proxy:3128`) for everything that is said to Discord."""
    api_base: str = ""
    """Where Discord's API is reached instead of `https://discord.com/api/v10`: a nirn-proxy, for example."""
    gateway: str = ""
    """Where its gateway is reached instead of `wss://gateway.discord.gg/`."""
    remember_messages: Annotated[int, Meta(ge=0, le=5_000_000)] = 20_000
    """Of how many messages the bridge remembers what they counted for, in case they are deleted."""
    remember_people: Annotated[int, Meta(ge=100, le=5_000_000)] = 100_000
    """Of how many people the bridge remembers under which names it has told of them."""
    audit_seconds: Seconds = 300.0
    """How often everybody who is in voice or online is told again, and every server counted."""
    heartbeat_timeout: Seconds = 60.0
    """A connection over which nothing came for so long is made anew."""
    ready_timeout: Seconds = 60.0
    """How long Discord may take to begin a session."""
    backfill: bool = False
    """Count what is in the channels' history from before the bot came: the messages of each channel and thread that the
    bot may read, once. Of a history Discord does not tell which roles people had: who has an excluded role is left out
    as far as they are members now. From where on history begins is remembered even while this is off."""
    backfill_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    """How many days back the history is counted; 0: all of it."""
    backfill_per_minute: Annotated[int, Meta(ge=1, le=3_000)] = 60
    """Requests for history by each shard, of up to 100 messages each. They wait while much happens, and for Discord's
    own limits."""
    commands: CommandSettings = CommandSettings()
    identify_seconds: Annotated[float, Meta(ge=0, le=600)] = 5.5
    """Between two sessions that this process begins: Discord allows one in five seconds."""

    def __post_init__(self) -> None:
        if any(shard >= self.shard_count for shard in self.shard_ids):
            raise ValueError("`shard_ids` must be smaller than `shard_count`")

    def __repr__(self) -> str:
        return f"Discord(guilds={len(self.guilds)}, shard_ids={self.shard_ids})"  # without token and addresses
