"""What an actor does with the application: commands, buttons, menus, forms."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from . import payloads
from .commands import Impossible, resolved_channel, resolved_member
from .drafts import nested
from .interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL
from .manners import Manners
from .permissions import Permission
from .reply import Reply
from .settings import Json
from .world import Channel, Message, Role, User

BUTTON, SELECT, INPUT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 2, 3, 4, 5, 6, 7, 8


class Replying(Manners):
    """Interactions."""

    async def slash(self, channel: Channel, command: str, /, **options: Json) -> Reply:
        """`/command`, or `"command subcommand"`; users, channels and roles are given as such (or as actors)."""
        self.need(channel, Permission.USE_APPLICATION_COMMANDS)
        given = {name: value.user if isinstance(value, Manners) else value for name, value in options.items()}
        filled = self.site.commands.fill(self.user, channel, command, given)
        self._note("slash", channel, command=command, options=sorted(given))
        one = self.site.interactions.begin(COMMAND, self.user, channel, filled.data)
        return await self._done(Reply(one, self.site.settings.ack_window))

    async def autocomplete(
        self, channel: Channel, command: str, focused: str, text: str, /, **options: Json
    ) -> list[Json]:
        """What is offered (`name`, `value`) while `text` is typed into an option; others may be filled already."""
        self.need(channel, Permission.USE_APPLICATION_COMMANDS)
        given = {**options, focused: text}
        filled = self.site.commands.fill(self.user, channel, command, given, focused=focused)
        self._note("autocomplete", channel, command=command, focused=focused)
        one = self.site.interactions.begin(AUTOCOMPLETE, self.user, channel, filled.data)
        await self._done(None)
        return await Reply(one, self.site.settings.ack_window).choices()

    async def press(self, message: Message, which: str) -> Reply:
        """A button, by its custom_id or its label."""
        button = self._component(message, which, (BUTTON,))
        if "custom_id" not in button:
            raise Impossible(f"{which} is a link")
        return await self._use(message, button, "press", {})

    async def choose(self, message: Message, which: str, *values: Json) -> Reply:
        """From a menu, by its custom_id or placeholder: strings, or users, roles, channels."""
        kinds = (SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT)
        menu = self._component(message, which, kinds)
        if not menu["min_values"] <= len(values) <= menu["max_values"]:
            raise Impossible(f"{which} takes {menu['min_values']} to {menu['max_values']}")
        if menu["type"] == SELECT:
            offered = [one["value"] for one in menu["options"]]
            if not set(values) <= set(offered):
                raise Impossible(f"{which} offers {offered}")
            return await self._use(message, menu, "choose", {"values": list(values)})
        return await self._use(message, menu, "choose", self._picked(message.channel, values))

    def _picked(self, channel: Channel, values: tuple[Json, ...]) -> Json:
        resolved: Json = {}
        chosen = [value.user if isinstance(value, Manners) else value for value in values]
        for value in chosen:
            key = str(value.id)
            if isinstance(value, User):
                resolved.setdefault("users", {})[key] = payloads.user(value)
                if channel.guild is not None and value.id in channel.guild.members:
                    member = resolved_member(channel.guild.members[value.id], channel.guild)
                    resolved.setdefault("members", {})[key] = member
            elif isinstance(value, Role):
                resolved.setdefault("roles", {})[key] = payloads.role(value)
            else:
                resolved.setdefault("channels", {})[key] = resolved_channel(value)
        return {"values": [str(value.id) for value in chosen], "resolved": resolved}

    async def _use(self, message: Message, component: Json, what: str, more: Json) -> Reply:
        await asyncio.sleep(self.site.settings.reflexes)
        data = {"custom_id": component["custom_id"], "component_type": component["type"]}
        self._note(what, message.channel, custom_id=component["custom_id"])
        one = self.site.interactions.begin(COMPONENT, self.user, message.channel, data | more, source=message)
        return await self._done(Reply(one, self.site.settings.ack_window))

    def _component(self, message: Message, which: str, kinds: tuple[int, ...]) -> Json:
        self.need(message.channel, Permission.VIEW_CHANNEL)
        if message.only_for not in (None, self.user):
            raise Impossible(f"{self.name} does not see that message")
        for one in nested(message.components):
            if one["type"] in kinds and which in (one.get("custom_id"), one.get("label"), one.get("placeholder")):
                if one.get("disabled"):
                    raise Impossible(f"{which} is disabled")
                return one
        raise Impossible(f"there is no {which} on that message")

    async def submit(self, reply: Reply, fields: Mapping[str, str]) -> Reply:
        """The form that an interaction was answered with; texts by custom_id (fields left out stay as they are)."""
        form = await reply.modal()
        await asyncio.sleep(self.site.settings.reflexes)
        if reply.interaction.user is not self.user:
            raise Impossible("that is somebody else's form")
        inputs = {one["custom_id"]: one for one in nested(form["components"]) if one["type"] == INPUT}
        if not set(fields) <= set(inputs):
            raise Impossible(f"the form has {sorted(inputs)}")
        texts = {name: fields.get(name, one.get("value") or "") for name, one in inputs.items()}
        for name, text in texts.items():
            _fits(inputs[name], text)
        data = {"custom_id": form["custom_id"], "components": [_filled(one, texts) for one in form["components"]]}
        self._note("submit", reply.interaction.channel, custom_id=form["custom_id"])
        before = reply.interaction
        one = self.site.interactions.begin(MODAL, self.user, before.channel, data, source=before.source, parent=before)
        return await self._done(Reply(one, self.site.settings.ack_window))

    def _note(self, what: str, channel: Channel, **facts: Json) -> None:
        self.site.record.note(what, self.user.id, channel.guild_id, channel.id, **facts)


def _fits(field: Json, text: str) -> None:
    low, high = field.get("min_length") or 0, field.get("max_length") or 4000
    required = field.get("required", True)
    if (required and not text) or (text and not low <= len(text) <= high):
        raise Impossible(f"{field['custom_id']} takes {low} to {high} characters")


def _filled(component: Json, texts: Mapping[str, str]) -> Json:
    """A form's component as a client sends it back."""
    told = {"type": component["type"], "id": component.get("id", 0)}
    if component["type"] == INPUT:
        return told | {"custom_id": component["custom_id"], "value": texts[component["custom_id"]]}
    if "components" in component:
        return told | {"components": [_filled(one, texts) for one in component["components"]]}
    if "component" in component:
        return told | {"component": _filled(component["component"], texts)}
    return told
