"""Voice states."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from . import payloads
from .settings import Json
from .world import Channel, Guild, User, VoiceState

if TYPE_CHECKING:
    from .site import StandIn


class Voice:
    """Nobody's permissions are asked here."""

    def __init__(self, site: StandIn) -> None:
        self._site = site

    def state(self, user: User) -> tuple[Guild, VoiceState] | None:
        """Where somebody is in voice: with one client, in one guild at a time."""
        for guild in self._site.world.guilds.values():
            if user.id in guild.voice:
                return guild, guild.voice[user.id]
        return None

    def enter(self, user: User, channel: Channel, **flags: bool) -> None:
        """Join, move, or change what the own client says: self_mute, self_deaf, stream, video, suppress."""
        assert channel.guild is not None
        now = self.state(user)
        if now is not None and now[0] is not channel.guild:
            self.leave(user)
            now = None
        if now is None:
            state = VoiceState(user, channel, secrets.token_hex(16), suppress=channel.kind == 13)
            before = None
        else:
            state, before = now[1], now[1].channel
            if before is not channel:
                state.suppress, state.stream, state.video = channel.kind == 13, False, False
        state.channel = channel
        for flag, value in flags.items():
            setattr(state, flag, value)
        channel.guild.voice[user.id] = state
        self._note(channel.guild, user, before, state)
        self.tell(channel.guild, state)

    def leave(self, user: User) -> None:
        """Hang up; nothing if not in voice."""
        now = self.state(user)
        if now is None:
            return
        guild, state = now
        del guild.voice[user.id]
        self._note(guild, user, state.channel, None)
        self.tell(guild, state, gone=True)

    def bot_moves(self, body: Json) -> None:
        """Op 4: the bot joins, moves or leaves (there is no voice server to talk to)."""
        me = self._site.me
        if body["channel_id"] is None:
            self.leave(me)
        else:
            channel = self._site.world.channels[int(body["channel_id"])]
            self.enter(me, channel, self_mute=body["self_mute"], self_deaf=body["self_deaf"])

    def vanish(self, guild: Guild, user: User) -> None:
        """Hang up without a word: during an outage nobody is told."""
        state = guild.voice.pop(user.id, None)
        if state is not None:
            self._note(guild, user, state.channel, None)

    def moderate(self, guild: Guild, user: User, **flags: bool) -> None:
        """Server mute or deafen: `muted`, `deafened`."""
        member = guild.members[user.id]
        for flag, value in flags.items():
            setattr(member, flag, value)
        state = guild.voice.get(user.id)
        if state is not None:
            self._note(guild, user, state.channel, state)
            self.tell(guild, state)

    def tell(self, guild: Guild, state: VoiceState, *, gone: bool = False) -> None:
        """VOICE_STATE_UPDATE."""
        told: Json = payloads.voice_state(state, guild) | {"guild_id": str(guild.id)}
        if gone:
            told |= {"channel_id": None}
        member = guild.members.get(state.user.id)
        if member is not None:
            told["member"] = payloads.member(member)
        self._site.gateway.tell("VOICE_STATE_UPDATE", told, guild)

    def _note(self, guild: Guild, user: User, before: Channel | None, state: VoiceState | None) -> None:
        """`from` and `to` are channels' ids; the other facts are true of the time from now on."""
        member = guild.members.get(user.id)
        self._site.record.note(
            "voice",
            user.id,
            guild.id,
            None if state is None else state.channel.id,
            **{"from": before and before.id, "to": state and state.channel.id},
            bot=user.bot,
            self_mute=state is not None and state.self_mute,
            self_deaf=state is not None and state.self_deaf,
            stream=state is not None and state.stream,
            video=state is not None and state.video,
            suppress=state is not None and state.suppress,
            mute=member is not None and member.muted,
            deaf=member is not None and member.deafened,
        )
