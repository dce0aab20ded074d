"""The life of an interaction: three seconds to acknowledge it, fifteen minutes to say more."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

from . import payloads
from .call import Refused, invalid
from .drafts import reference_to
from .permissions import ALL, in_channel
from .settings import Json
from .talk import EPHEMERAL, LOADING, Parts
from .world import Channel, Message, User

if TYPE_CHECKING:
    from .site import StandIn

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
SAY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, ASK = 4, 5, 6, 7, 8, 9
_RECENT: Final = 500
"""How many of the last interactions anybody may still wait for."""
_ALLOWED: Final = {
    COMMAND: (SAY, DEFER, ASK),
    COMPONENT: (SAY, DEFER, DEFER_UPDATE, UPDATE, ASK),
    AUTOCOMPLETE: (CHOICES,),
    MODAL: (SAY, DEFER),
}


class Interaction:
    """What somebody asked of the application, and what came of it so far."""

    def __init__(
        self, number: int, kind: int, user: User, channel: Channel, data: Json, source: Message | None
    ) -> None:
        self.id = number
        self.token = secrets.token_urlsafe(64)
        self.kind = kind
        self.user = user
        self.channel = channel
        self.data = data
        self.source = source
        """The message whose component was used (a modal: the one that led to it)."""
        self.began = asyncio.get_running_loop().time()
        self.callback: int | None = None
        """The type of the callback that acknowledged it."""
        self.original: Message | None = None
        self.messages: list[Message] = []
        """Replies in the order they came; deleted ones are taken out."""
        self.choices: list[Json] = []
        self.modal: Json = None
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, with everything the application does about it."""
        self.metadata: Json = None

    @property
    def allowed(self) -> tuple[int, ...]:
        """Types of callbacks it may be acknowledged with."""
        plain = _ALLOWED[self.kind]
        return (*plain, DEFER_UPDATE, UPDATE) if self.kind == MODAL and self.source is not None else plain

    def wake(self) -> None:
        """Those who wait for `changed` look again."""
        self.changed.set()
        self.changed = asyncio.Event()


class Interactions:
    """All of them, and what callbacks and follow-ups do."""

    def __init__(self, site: StandIn) -> None:
        self._site = site
        self.all: list[Interaction] = []
        self._by_token: dict[str, Interaction] = {}

    # -- beginning ----------------------------------------------------------------------------------------------

    def begin(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: Json,
        *,
        source: Message | None = None,
        parent: Interaction | None = None,
    ) -> Interaction:
        """INTERACTION_CREATE. `parent`: what a modal was the answer to."""
        one = Interaction(self._site.world.ids.new(), kind, user, channel, data, source)
        self.all.append(one)
        self._by_token[one.token] = one
        owners = {"0": str(channel.guild.id if channel.guild is not None else 0)}
        one.metadata = {
            "id": str(one.id),
            "type": COMMAND if kind == AUTOCOMPLETE else kind,
            "user": payloads.user(user),
            "authorizing_integration_owners": owners,
        }
        if kind == COMPONENT and source is not None:
            one.metadata["interacted_message_id"] = str(source.id)
        if kind == MODAL and parent is not None:
            one.metadata["triggering_interaction_metadata"] = parent.metadata
        self._site.gateway.tell("INTERACTION_CREATE", self._payload(one, owners), channel.guild)
        return one

    def _payload(self, one: Interaction, owners: Json) -> Json:
        site, guild = self._site, one.channel.guild
        told = {
            "id": str(one.id),
            "application_id": str(site.application),
            "type": one.kind,
            "token": one.token,
            "version": 1,
            "data": one.data,
            "channel_id": str(one.channel.id),
            "channel": payloads.channel(one.channel),
            "locale": "en-US",
            "app_permissions": str(ALL),
            "entitlements": [],
            "authorizing_integration_owners": owners,
            "context": 0 if guild is not None else 1,
            "attachment_size_limit": 10_485_760,
        }
        if one.source is not None:
            told["message"] = site.talk.told(one.source)
        if guild is None:
            return told | {"user": payloads.user(one.user)}
        member, me = guild.members[one.user.id], guild.members[site.me.id]
        return told | {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "app_permissions": str(in_channel(one.channel, me)),
            "member": payloads.member(member) | {"permissions": str(in_channel(one.channel, member))},
        }

    def touched(self, message: Message) -> None:
        """A message changed: whoever waits for an interaction about it looks again."""
        for one in self.all[-_RECENT:]:
            if message is one.source or message in one.messages:
                one.wake()

    # -- what the application does ------------------------------------------------------------------------------

    def acknowledge(self, number: int, token: str, kind: int) -> Interaction:
        """The one callback that an interaction has."""
        one = self._by_token.get(token)
        if one is None or one.id != number:
            raise Refused(404, 10062, "Unknown interaction")
        if one.callback is not None:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        if asyncio.get_running_loop().time() - one.began > self._site.settings.ack_window:
            raise Refused(404, 10062, "Unknown interaction")
        if kind not in one.allowed:
            raise invalid("Not allowed for this interaction", "type")
        return one

    def by_token(self, token: str) -> Interaction:
        """For what follows the callback."""
        one = self._by_token.get(token)
        late = one is not None and (asyncio.get_running_loop().time() - one.began > self._site.settings.token_lifetime)
        if one is None or late:
            raise Refused(401, 50027, "Invalid Webhook Token")
        if one.callback is None:
            raise Refused(404, 10015, "Unknown Webhook")
        return one

    def say(self, one: Interaction, content: str, parts: Parts) -> Message:
        """A reply: the first one as the answer to a command or to a message, others as replies to the first."""
        about = one.source if one.original is None else one.original
        made: Parts = {**parts, "webhook": self._site.application, "interaction": one.metadata}
        if about is None:
            made["kind"] = 20
        else:
            made |= {"kind": 19, "replies_to": about, "reference": reference_to(about)}
        if parts.get("flags", 0) & EPHEMERAL:
            made["only_for"] = one.user
        said = self._site.talk.post(one.channel, self._site.me, content, **made)
        one.messages.append(said)
        return said

    def defer(self, one: Interaction, flags: int) -> Message:
        """`... is thinking`."""
        return self.say(one, "", {"flags": flags & EPHEMERAL | LOADING})

    def fill(self, one: Interaction, content: str, parts: Parts) -> Message:
        """The deferred reply gets its content; whether it is ephemeral was decided before."""
        said = one.original
        assert said is not None
        flags = (said.flags | parts.get("flags", 0)) & ~LOADING
        flags = flags if said.flags & EPHEMERAL else flags & ~EPHEMERAL
        shown = {key: parts[key] for key in ("embeds", "components", "attachments", "poll") if parts.get(key)}
        self._site.talk.edit(said, by_author=False, content=content, flags=flags, **shown)
        self._site.record.note("filled", self._site.me.id, None, one.channel.id, id=said.id)
        return said
